"""What runs are gated against: a file made for git, or stored runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.config import Config
from bench.errors import ConfigError, StoreError
from bench.gating.baseline_file import read_baseline
from bench.gating.contents import Baseline
from bench.gating.entries import find_entries


@dataclass(frozen=True, slots=True)
class Against:
    """A baseline with where it came from; only a ``file`` claims to hold all there is."""

    baseline: Baseline
    origin: str
    file: bool


def is_file(path: Path) -> bool:
    """Whether there is such a file; not where nothing can be called that."""
    try:
        return path.expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def find_baseline(config: Config, given: str | None) -> Against:
    """The baseline that ``given`` names, a file or stored runs; the configuration's by default.

    Raises:
        ConfigError: there is no such file or run.
        StoreError: it cannot be read.
    """
    path = config.baseline if given is None else Path(given)
    if is_file(path):
        path = path.expanduser()
        return Against(read_baseline(path), str(path), file=True)
    if given is None:
        raise ConfigError(
            f"there is no baseline {path}; `bench baseline update RUN` writes it, --baseline names "
            "another file or a stored run"
        )
    try:
        entries = find_entries(config, given)
    except StoreError as error:
        raise ConfigError(f"--baseline {given} is no file, and {error}") from error
    return Against(Baseline({entry.pair: entry for entry in entries}, {}), given, file=False)
