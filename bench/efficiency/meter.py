"""Time, memory and energy of a query on whatever device answers."""

from __future__ import annotations

import gc
import importlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch

Result = TypeVar("Result")
Clock = Callable[[], float]

_STATM = Path("/proc/self/statm")
_MEMINFO = Path("/proc/meminfo")


class Lap(NamedTuple):
    """Seconds of one query on the wall's clock and, on an accelerator, between two events."""

    seconds: float
    device_seconds: float | None


class Memory(NamedTuple):
    """Bytes: the accelerator's peaks since :meth:`Meter.reset`, and the process's resident set.

    What other models hold is left out of ``allocated``; the others are of the whole process.
    """

    allocated: int | None
    reserved: int | None
    resident: int


class Meter:
    """Measures on one device.

    Args:
        device: a torch device's name; anything else, such as a program of its own has, counts as
            a processor.
        clock: seconds since some moment.
    """

    def __init__(self, device: str, clock: Clock = time.perf_counter) -> None:
        self.clock = clock
        self.others = 0
        """Bytes that other models hold on the device."""
        self.device = _accelerator(device)
        """The accelerator; ``None`` for a processor."""
        self._is_cuda = self.device is not None and self.device.type == "cuda"
        self._energy = _energy_counter(self.device)

    def lap(self, run: Callable[[], Result]) -> tuple[Lap, Result]:
        """Time one run, the device synchronised before and after."""
        if self.device is None:
            begun = self.clock()
            result = run()
            return Lap(self.clock() - begun, None), result
        begin = torch.Event(self.device, enable_timing=True)
        end = torch.Event(self.device, enable_timing=True)
        torch.accelerator.synchronize(self.device)
        begun = self.clock()
        begin.record()
        result = run()
        end.record()
        torch.accelerator.synchronize(self.device)
        seconds = self.clock() - begun
        return Lap(seconds, begin.elapsed_time(end) / 1000), result

    def reset(self) -> None:
        """Begin to look for new peaks."""
        if self._is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)

    def memory(self) -> Memory:
        """Peaks since the last reset, and what the process holds now."""
        allocated = reserved = None
        if self._is_cuda:
            allocated = torch.cuda.max_memory_allocated(self.device) - self.others
            reserved = torch.cuda.max_memory_reserved(self.device)
        return Memory(allocated, reserved, _resident())

    def held(self) -> int:
        """Bytes allocated on the device by all models now; 0 beside an accelerator's."""
        return torch.cuda.memory_allocated(self.device) if self._is_cuda else 0

    def free(self) -> int | None:
        """Bytes that are free on the device, or for a processor; ``None`` where nobody says."""
        if self.device is None:
            return _available()
        try:
            return torch.cuda.mem_get_info(self.device)[0] if self._is_cuda else None
        except RuntimeError:  # the device is gone
            return None

    def joules(self) -> float | None:
        """The accelerator's energy counter; ``None`` where it cannot be read."""
        return None if self._energy is None else self._energy()

    def release(self) -> None:
        """Give back what a failed query left behind."""
        gc.collect()
        if self._is_cuda:
            with suppress(RuntimeError):  # the device is gone, and its memory with it
                torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a query failed for want of memory, on the device or beside it."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in message
        or "can't allocate memory" in message
        or "_status_alloc_failed" in message  # cuBLAS's and cuDNN's own words
    )


def _accelerator(name: str) -> torch.device | None:
    try:
        device = torch.device(name)
    except RuntimeError:
        return None
    return None if device.type in ("cpu", "meta") else device


def _energy_counter(device: torch.device | None) -> Callable[[], float | None] | None:
    """A function that reads joules since the driver was loaded, by NVML if it is installed."""
    if device is None or device.type != "cuda":
        return None
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception:  # no NVML, or a card or a container without the counter
        return None

    def joules() -> float | None:
        try:
            return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
        except Exception:  # the card is gone; its next query will say so
            return None

    return joules


def _available() -> int | None:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return None
    told = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(told[0]) * 1024 if told else None


def _resident() -> int:
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except OSError:  # not Linux: the peak instead, in kilobytes
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
