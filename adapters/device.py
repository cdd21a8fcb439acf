"""Devices and number types by name, shared by every adapter."""

from __future__ import annotations

import torch

from adapters.interface import DeviceError, SettingError, suggestion

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_KINDS = ("auto", "cpu", "cuda", "mps", "xpu", "meta")


def resolve_device(name: str) -> torch.device:
    """The device called ``name``; ``"auto"`` is the accelerator if there is one, else the CPU.

    Raises:
        DeviceError: no such device on this machine.
    """
    if name == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return _with_settings(accelerator) if accelerator else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(
            f"no kind of device is called {name!r}{suggestion(name, _KINDS)} "
            "(such as 'auto', 'cpu', 'cuda', 'cuda:1')"
        ) from error
    if device.type in ("cpu", "meta"):
        return device
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    present = torch.accelerator.device_count() if accelerator else 0
    if accelerator is None or accelerator.type != device.type or (device.index or 0) >= present:
        here = f"{accelerator.type} x {present}" if accelerator else "no accelerator"
        raise DeviceError(
            f"device {name!r} is not on this machine (PyTorch {torch.__version__} sees {here}); "
            "use 'auto' or 'cpu', or install a PyTorch built for it"
        )
    return _with_settings(device)


def _with_settings(device: torch.device) -> torch.device:
    """The device; for CUDA's, PyTorch is set for the whole process to what the models need."""
    if device.type == "cuda":
        # cuDNN's attention plans every new shape anew, which takes longer than most queries.
        torch.backends.cuda.enable_cudnn_sdp(False)
        # Of its convolutions only those that give equal bytes for equal input.
        torch.backends.cudnn.deterministic = True
    return device


def upload(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on a device; the host waits neither for CUDA's earlier work nor for the copy.

    It goes through page-locked memory, which PyTorch keeps until CUDA has read it, so that the
    tensor may be changed or go at once. CUDA does not promise that of a copy from other memory.
    """
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number type called ``name``; ``"auto"`` is bfloat16 except float32 on a CPU.

    Raises:
        SettingError: not a type the models run in.
    """
    if name == "auto":
        name = "float32" if device.type == "cpu" else "bfloat16"
    if name == "float32":
        # Accelerators would otherwise round the factors of convolutions to ten bits.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    if name not in DTYPES:
        raise SettingError(
            f"no dtype is called {name!r}{suggestion(name, DTYPES)} "
            f"(known: auto, {', '.join(DTYPES)})"
        )
    return DTYPES[name]


def dtype_name(dtype: torch.dtype) -> str:
    """``torch.float32`` as ``"float32"``."""
    return str(dtype).removeprefix("torch.")
