"""``run.json``: what a run is, and everything about how it came to be.

Times and hosts live here and nowhere else, so that answers and scores are byte-stable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from adapters.interface import JsonScalar, Task
from adapters.json_text import parse_json
from bench.errors import StoreError

FILE_NAME = "run.json"
SCHEMA_VERSION = 2


def _without_certificates(values: dict[str, Any]) -> dict[str, Any]:
    """Sessions of version 1 knew no certificates.

    What is no list of sessions is left as it is, for the check that follows to refuse.
    """
    sessions = values.get("sessions", [])
    if isinstance(sessions, list):
        sessions = [
            {**session, "certificate": None} if isinstance(session, dict) else session
            for session in sessions
        ]
    return {**values, "schema_version": 2, "sessions": sessions}


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _without_certificates}
"""From a stored version to the next one; applied in turn until the current one is reached."""

_MEND = (
    "delete this file alone: the command that made the run (`bench run`, `bench import`) writes it "
    "anew and goes on with all stored answers"
)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SuiteRecord(_Record):
    """The suite as it was: ``kind`` and ``options`` are how to open it again.

    ``name`` is the suite's own, ``called`` the one it was run under.
    """

    name: str
    called: str
    version: str
    digest: str
    kind: str
    options: dict[str, JsonScalar]
    task: Task
    protocol: str
    main_metric: str
    licence: str
    source: str
    images: int


class ModelRecord(_Record):
    """The model as its adapter described it; ``declared`` is how it was asked for."""

    name: str
    adapter: str
    revision: int
    checkpoint: str
    checkpoint_digest: str
    parameters: int
    dtype: str
    prompt: str
    settings: dict[str, JsonScalar]
    base_model: str | None
    licence: str | None
    context_dependent: bool
    declared: dict[str, JsonScalar]


class SelectionRecord(_Record):
    """The largest part of the suite the run was asked for: its first ``images`` images."""

    limit: int | None
    images: int
    regions: int


class HardwareRecord(_Record):
    """The machine a session ran on."""

    host: str
    platform: str
    cpu: str
    cores: int
    memory_gib: float
    accelerator: str | None = None


class CodeRecord(_Record):
    """The code a session ran."""

    version: str
    commit: str | None
    dirty: bool | None
    python: str
    packages: dict[str, str]


class CertificateRecord(_Record):
    """The adapter's certificate as it was when a session began; see ``bench certify``.

    ``digest`` is of the certificate's file. ``difference`` is the worst of all comparisons
    relative to its ``tolerance`` (``None``: two things could not be laid over each other), in
    ``stage``. ``same_versions`` says whether the session ran the ``versions`` that were certified.
    """

    digest: str
    passed: bool
    stage: str | None
    difference: float | None
    tolerance: float | None
    fixture_digest: str
    certified: str
    versions: dict[str, str]
    same_versions: bool


class SessionRecord(_Record):
    """One process that worked on the run, from start to end (``None``: it was killed).

    ``certificate`` is ``None`` where the adapter's revision had none.
    """

    started: str
    ended: str | None = None
    seconds: float = 0.0
    outcome: str = "running"
    device: str
    images_asked: int = 0
    regions_asked: int = 0
    hardware: HardwareRecord
    code: CodeRecord
    certificate: CertificateRecord | None = None
    warnings: tuple[str, ...] = ()


class ScoringRecord(_Record):
    """One scoring of the answers' first ``parts`` parts, and the sentence encoder it used."""

    encoder: str
    encoder_revision: str | None
    encoder_source: str
    encoder_digest: str
    parts: int
    scored: str
    seconds: float


class Manifest(_Record):
    """Everything about a run that is not an answer or a score."""

    schema_version: int = SCHEMA_VERSION
    run: str
    command: str
    suite: SuiteRecord
    model: ModelRecord
    max_new_tokens: int
    mask_source: str
    selection: SelectionRecord
    counts: dict[str, int] = Field(default_factory=dict)
    sessions: tuple[SessionRecord, ...] = ()
    scorings: dict[str, ScoringRecord] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Wall time of all sessions that ended."""
        return sum(session.seconds for session in self.sessions)

    def values(self) -> dict[str, Any]:
        """The manifest as JSON values."""
        return self.model_dump(mode="json")


def read_manifest(path: Path) -> Manifest:
    """Read a stored manifest, bringing an older one up to date.

    Raises:
        StoreError: it is damaged, or written by a newer version of the project; the message says
            how to go on.
    """
    try:
        values = parse_json(path.read_bytes().decode("utf-8"))
        return Manifest.model_validate(_migrated(path, values))
    except OSError as error:
        raise StoreError(f"manifest {path} cannot be read: {error}") from error
    except ValueError as error:  # what pydantic refuses is one too
        raise StoreError(f"manifest {path} is damaged: {error}; {_MEND}") from error


def _migrated(path: Path, values: Any) -> Any:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if type(version) is not int or version < 1:
        raise ValueError(f"it has no schema_version of a run's manifest, but {version!r}")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"manifest {path} has schema_version {version}, this regionbench reads up to "
            f"{SCHEMA_VERSION}; update regionbench to read this run"
        )
    for step in range(version, SCHEMA_VERSION):
        values = MIGRATIONS[step](values)
    return values
