"""What a speed depends on besides the model: driver, threads, and who else is at work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.provenance import hardware, is_cuda

_BUSY = 0.5  # share of the cores that other work may take before a warning


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Other work on the machine before the sweep began.

    ``load_average`` is of the last minute; ``processes`` are those on the accelerators.
    """

    cores: int
    load_average: float | None
    processes: tuple[str, ...]

    def joined(self, load_average: float | None, processes: tuple[str, ...]) -> Neighbours:
        """Both at their worst, where rounds were measured beside these and beside those."""
        loads = [load for load in (self.load_average, load_average) if load is not None]
        return Neighbours(
            self.cores,
            max(loads, default=None),
            tuple(dict.fromkeys((*processes, *self.processes))),
        )

    def warnings(self) -> list[str]:
        """What may make the sweep slower than the hardware is."""
        found, cores = [], self.cores
        if self.load_average is not None and self.load_average > _BUSY * cores:
            found.append(
                f"the load average was {self.load_average:.1f} on {cores} cores before the sweep "
                "began: other work may have slowed it down"
            )
        if self.processes:
            found.append(
                f"other processes were on the accelerator: {'; '.join(self.processes)}; "
                "they may have slowed the sweep down"
            )
        return found


def look_around(nvidia_smi: Callable[[str], list[str]] | None = None) -> Neighbours:
    """Look for other work; to be called before this process touches an accelerator.

    Args:
        nvidia_smi: answers a query of NVIDIA's tool line by line; ``None`` asks the tool.
    """
    lines = (nvidia_smi or _nvidia_smi)("compute-apps=pid,process_name,used_memory")
    own = str(os.getpid())
    others = [line for line in lines if line.split(",")[0].strip() != own]
    return Neighbours(hardware("cpu").cores, _load_average(), tuple(others))


@cache
def driver(device: str) -> str | None:
    """The accelerator's driver and toolkit, ``None`` where there is none."""
    if not is_cuda(device):
        return None
    versions = sorted(set(_nvidia_smi("gpu=driver_version")))
    return f"driver {', '.join(versions) or 'unknown'}, CUDA {torch.version.cuda}"


class AttentionKernels(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch is not
    """Notes which fused attention kernels run inside it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        """Pass every operation on; the one that chooses a kernel is watched while it does."""
        if func is torch.ops.aten.scaled_dot_product_attention.default:
            with self:
                return func.decompose(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name.startswith("_scaled_dot_product_"):
            self.names.add(name.removeprefix("_scaled_dot_product_"))
        return func(*args, **(kwargs or {}))

    def __str__(self) -> str:
        return ", ".join(sorted(self.names)) or "none fused"


def _load_average() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def _nvidia_smi(query: str) -> list[str]:
    """Lines of an answer of NVIDIA's tool; none where there is no such tool."""
    try:
        done = subprocess.run(
            ["nvidia-smi", f"--query-{query}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
