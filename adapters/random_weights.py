"""Models with random weights, for what depends on sizes alone: costs, speeds, and tests.

Modules draw their weights one after another, on one core, and some twice. Here the draws of large
parameters are put off while a model is built, and those parameters are then filled on all cores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

SCHEME = 2
"""Counts how weights were made from seeds; another number says that a seed's weights differ."""

_STD = 0.02  # ``initializer_range`` of the published decoders, Qwen2 and Llama
_LARGE = 1 << 16  # numbers of a parameter from which on its draws are put off
_CHUNK = 1 << 20  # numbers that a thread draws at a time, from a generator of their own
_DRAWS = (torch.ops.aten.normal_.default, torch.ops.aten.uniform_.default)

Model = TypeVar("Model", bound=nn.Module)


def random_weights(
    build: Callable[[], Model], seed: int, device: torch.device, dtype: torch.dtype
) -> Model:
    """A model with random weights, ready for inference, the same on every device for a seed.

    Large parameters that their modules draw are of N(0, 0.02²) instead, whatever the number of
    threads; all others are as the modules make them. The caller's random state stays as it is.
    """
    if device.type == "meta":
        with device:
            return build().to(dtype).eval()
    with torch.random.fork_rng(devices=[]), torch.device("cpu"), _PostponedDraws() as postponed:
        # ``torch.manual_seed`` would seed accelerators too.
        torch.default_generator.manual_seed(seed)
        model = build()
    _fill({n: p for n, p in model.named_parameters() if p in postponed}, seed, dtype)
    model.to(device).eval()
    # Computed buffers, such as rotary frequencies, keep their precision, as in a loaded model.
    for tensor in model.state_dict(keep_vars=True).values():
        tensor.data = tensor.data.to(dtype)
    return model


class _PostponedDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch is not
    """Puts off the draws of large parameters until something asks for their values.

    Memory that was never written takes none: a parameter that is in here at the end costs
    nothing but its address.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._draws: dict[int, list[Callable[[], object]]] = {}

    def __contains__(self, tensor: torch.Tensor) -> bool:
        return _address(tensor) in self._draws

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWS and isinstance(args[0], nn.Parameter) and args[0].numel() >= _LARGE:
            # What is kept here holds the memory, so that no other tensor gets the same address.
            drawing = partial(func, args[0].detach(), *args[1:], **kwargs)
            self._draws.setdefault(_address(args[0]), []).append(drawing)
            return args[0]
        if not func.is_view:
            for value in tree_leaves((args, kwargs)):
                if isinstance(value, torch.Tensor):
                    for draw in self._draws.pop(_address(value), ()):
                        draw()
        return func(*args, **kwargs)


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _fill(parameters: Mapping[str, nn.Parameter], seed: int, dtype: torch.dtype) -> None:
    filling = []
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for name, parameter in parameters.items():
            parameter.data = torch.empty(parameter.shape, dtype=dtype, device="cpu")
            for number, chunk in enumerate(torch.split(parameter.data.view(-1), _CHUNK)):
                filling.append(pool.submit(_draw, chunk, f"{seed} {name} {number}"))
    for chunk_filled in filling:
        chunk_filled.result()


@torch.inference_mode()  # a caller's mode ends at its own thread; this one may fill in either case
def _draw(chunk: torch.Tensor, key: str) -> None:
    """Fill ``chunk`` with the numbers of ``key``; PyTorch lets other threads run meanwhile."""
    digest = hashlib.sha256(key.encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big"))
    drawn = torch.empty(len(chunk), dtype=torch.float32, device="cpu")
    chunk.copy_(drawn.normal_(std=_STD, generator=generator))
