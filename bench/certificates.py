"""Certificates: how an adapter's revision compared with golden fixtures, one file each.

``bench certify`` writes them, ``bench run`` notes them in a run's manifest, the board shows them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import adapters
from adapters.conformance import Comparison
from adapters.interface import AdapterCard
from adapters.json_text import parse_json
from bench.atomic import write_json
from bench.errors import CertificateError, StoreError
from bench.manifest import CertificateRecord, CodeRecord
from bench.output import warn
from bench.provenance import DISTRIBUTION, code

SCHEMA_VERSION = 1
_PACKAGES = ("torch", "transformers", "numpy", "pillow", "tokenizers")


class Stage(BaseModel):
    """What was compared under one name, over ``cases`` comparisons.

    ``difference``, ``tolerance`` and ``case`` are of the worst one: that with the largest share
    of its tolerance. ``difference`` is ``None`` where the two had different shapes or lengths.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stage: str
    cases: int
    difference: float | None
    tolerance: float
    case: str
    passed: bool

    @property
    def excess(self) -> tuple[float, float]:
        """For finding the worst: the share of the tolerance, then the difference itself."""
        return _excess(math.inf if self.difference is None else self.difference, self.tolerance)


class Certificate(BaseModel):
    """One certification of an adapter's revision.

    ``error`` is what ended it early, if anything did. ``fixture_digest`` is over names and
    contents of the fixture's files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: int = SCHEMA_VERSION
    adapter: str
    revision: int
    passed: bool
    stages: tuple[Stage, ...]
    error: str | None = None
    fixture_digest: str
    versions: dict[str, str]
    device: str
    certified: str
    commit: str | None
    dirty: bool | None

    @property
    def worst(self) -> Stage | None:
        """The stage nearest to, or furthest beyond, its tolerance."""
        return max(self.stages, key=lambda stage: stage.excess, default=None)


def summarize(comparisons: Iterable[Comparison]) -> tuple[Stage, ...]:
    """Comparisons gathered by stage, in the order the stages were first met."""
    stages: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        stages.setdefault(comparison.stage, []).append(comparison)
    return tuple(_stage(name, found) for name, found in stages.items())


def _stage(name: str, found: Sequence[Comparison]) -> Stage:
    worst = max(found, key=lambda c: _excess(c.difference, c.tolerance))
    return Stage(
        stage=name,
        cases=len(found),
        difference=worst.difference if math.isfinite(worst.difference) else None,
        tolerance=worst.tolerance,
        case=worst.case,
        passed=all(comparison.passed for comparison in found),
    )


def _excess(difference: float, tolerance: float) -> tuple[float, float]:
    if math.isnan(difference):
        return math.inf, math.inf
    if tolerance > 0:
        return difference / tolerance, difference
    return math.inf if difference else 0.0, difference


def versions_of(record: CodeRecord) -> dict[str, str]:
    """The versions that numbers depend on."""
    packages = {name: record.packages[name] for name in _PACKAGES if name in record.packages}
    own = {DISTRIBUTION: record.version, "adapters": _adapters_digest()}
    return {**own, "python": record.python, **packages}


@cache
def _adapters_digest() -> str:
    """Digest of the adapters' code, which can change while the version stays."""
    folder = Path(adapters.__file__).parent
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


def certificate_path(folder: Path, adapter: str, revision: int) -> Path:
    """Where the certificate of an adapter's revision lies in ``folder``."""
    return folder / f"{adapter}-r{revision}.json"


def write_certificate(folder: Path, certificate: Certificate) -> Path:
    """Write a certificate, in place of an earlier one of the same revision.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = certificate_path(folder, certificate.adapter, certificate.revision)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"certificates folder {folder} cannot be made: {error}") from error
    write_json(path, certificate.model_dump(mode="json"))
    return path


def find_certificate(folder: Path, adapter: str, revision: int) -> CertificateRecord | None:
    """What a run notes of the certificate of an adapter's revision; ``None`` where there is none.

    Raises:
        CertificateError: there is one, but it cannot be read.
    """
    path = certificate_path(folder, adapter, revision)
    if not path.is_file():
        return None
    content = _content(path)
    certificate = _parse(path, content)
    # What ended it early counts, not the stages that passed before.
    worst = None if certificate.error else certificate.worst
    return CertificateRecord(
        digest=hashlib.sha256(content).hexdigest(),
        passed=certificate.passed,
        stage=worst.stage if worst else None,
        difference=worst.difference if worst else None,
        tolerance=worst.tolerance if worst else None,
        fixture_digest=certificate.fixture_digest,
        certified=certificate.certified,
        versions=certificate.versions,
        same_versions=certificate.versions == versions_of(code()),
    )


def noted_certificate(folder: Path, card: AdapterCard) -> CertificateRecord | None:
    """The certificate of what answers; one that cannot be read is a warning and none."""
    try:
        return find_certificate(folder, card.name, card.revision)
    except CertificateError as error:
        warn(str(error))
        return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"certificate {path} cannot be read: {error}") from error


def _parse(path: Path, content: bytes) -> Certificate:
    try:
        values = parse_json(content)
        version = values.get("schema_version") if isinstance(values, dict) else None
        if version == SCHEMA_VERSION:
            return Certificate.model_validate(values)
    except ValueError as error:  # what pydantic refuses is one too
        raise CertificateError(
            f"certificate {path} cannot be read: {error}; `bench certify` writes it anew"
        ) from error
    raise CertificateError(
        f"certificate {path} has schema_version {version!r}, this regionbench reads "
        f"{SCHEMA_VERSION}; `bench certify` writes it anew"
    )
