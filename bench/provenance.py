"""The code and the machine a result came from."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import socket
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from adapters import external
from bench.manifest import CodeRecord, HardwareRecord

DISTRIBUTION = "regionbench"
PACKAGES = (
    "datasets",
    "numpy",
    "pandas",
    "pillow",
    "pyarrow",
    "pycocotools",
    "safetensors",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)


def now() -> str:
    """The current time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def code() -> CodeRecord:
    """Version, git commit and packages of the running code."""
    commit = _git("rev-parse", "HEAD")
    return CodeRecord(
        version=package_version(DISTRIBUTION) or "unknown",
        commit=commit,
        dirty=None if commit is None else bool(_git("status", "--porcelain", "-uno")),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := package_version(name))},
    )


@cache
def local_changes() -> str | None:
    """Digest of what the running code has that its commit has not; ``None`` without git."""
    changes = _git("diff", "HEAD")
    return None if changes is None else hashlib.sha256(changes.encode()).hexdigest()


def hardware(device: str) -> HardwareRecord:
    """This machine; ``device`` is what a model's card calls the device that answered.

    A program of its own may run on anything: its device is an accelerator that only it can name,
    so that its speeds are never taken for this processor's.
    """
    return HardwareRecord(
        host=socket.gethostname(),
        platform=platform.platform(),
        cpu=_cpu_name(),
        cores=_cores(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        accelerator=_accelerator(device),
    )


def package_version(name: str) -> str | None:
    """Installed version of a distribution, or ``None``."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def is_cuda(device: str) -> bool:
    """Whether it is torch's name of an NVIDIA or AMD GPU, such as ``cuda:1``."""
    return re.fullmatch(r"cuda(:\d+)?", device) is not None


def _accelerator(device: str) -> str | None:
    if device in ("cpu", "meta", "none"):
        return None
    if is_cuda(device):
        import torch

        return torch.cuda.get_device_name(device)
    if re.fullmatch(r"(mps|xpu)(:\d+)?", device):
        return f"{device} of {_cpu_name()}"
    return "a device unknown here" if device == external.ENTRY.name else device


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return None  # an installed copy, perhaps inside somebody else's repository
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
