"""A worker's first line: what the model is, for its card and its answers' identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.external import ENTRY, fields
from adapters.external.errors import Malformed
from adapters.external.messages import PROTOCOL, VERSION
from adapters.interface import AdapterCard, JsonScalar, Task

REVISION = 1
_UNKNOWN = "unknown"
_KEYS = ("protocol", "version", "model", "device", "prompts", "settings", "context_dependent")
_MODEL_KEYS = ("name", "version", "digest", "parameters", "dtype", "licence", "base_model")


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a worker said of itself.

    At least one of ``version`` and ``digest`` is given: they tell the model from every other of
    its name. ``parameters`` is 0, and ``device`` ``None``, where the worker did not say.
    """

    name: str
    version: str | None
    digest: str | None
    prompts: Mapping[Task, str]
    settings: Mapping[str, JsonScalar]
    parameters: int
    dtype: str
    device: str | None
    licence: str | None
    base_model: str | None
    context_dependent: bool

    def card(self) -> AdapterCard:
        """The adapter's card; all that an answer may depend on comes from the handshake."""
        declared = json.dumps([self.name, self.version, self.digest])
        return AdapterCard(
            name=ENTRY.name,
            revision=REVISION,
            checkpoint=self.name if self.version is None else f"{self.name} {self.version}",
            checkpoint_digest=hashlib.sha256(declared.encode("ascii")).hexdigest(),
            parameters=self.parameters,
            dtype=self.dtype,
            # Never a name by itself that torch knows: what it says of this machine's devices is
            # not about the worker's.
            device=ENTRY.name if self.device is None else f"{ENTRY.name}: {self.device}",
            prompts=self.prompts,
            settings=self.settings,
            base_model=self.base_model,
            licence=self.licence,
            context_dependent=self.context_dependent,
        )


def read_handshake(line: bytes) -> Handshake:
    """Read a worker's first line.

    Raises:
        Malformed: it is no handshake of this protocol version, or lacks what identifies the
            model.
    """
    given = fields.read_object(line)
    _check_protocol(given)
    fields.check_keys("the handshake", given, _KEYS)
    model = fields.mapping("`model`", given.get("model"))
    fields.check_keys("`model`", model, _MODEL_KEYS)
    version, digest = _named(model, "version"), _named(model, "digest")
    if version is None and digest is None:
        raise Malformed(
            "`model` has neither `version` nor `digest`; give one that changes whenever answers "
            "may, or another model could be credited with them"
        )
    return Handshake(
        name=fields.label("`model.name`", model.get("name")),
        version=version,
        digest=digest,
        prompts=_prompts(given),
        settings=_settings(given),
        parameters=fields.count("`model.parameters`", model.get("parameters", 0)),
        dtype=_named(model, "dtype") or _UNKNOWN,
        device=_optional("`device`", given.get("device")),
        licence=_named(model, "licence"),
        base_model=_named(model, "base_model"),
        context_dependent=fields.flag("`context_dependent`", given.get("context_dependent", False)),
    )


def _check_protocol(given: Mapping[str, object]) -> None:
    if given.get("protocol") != PROTOCOL:
        raise Malformed(f"`protocol` is {given.get('protocol')!r}, expected {PROTOCOL!r}")
    version = given.get("version")
    if version != VERSION or isinstance(version, bool):
        raise Malformed(f"`version` is {version!r}, this regionbench speaks version {VERSION}")


def _named(model: Mapping[str, object], key: str) -> str | None:
    return _optional(f"`model.{key}`", model.get(key))


def _optional(name: str, value: object) -> str | None:
    return None if value is None else fields.label(name, value)


def _prompts(given: Mapping[str, object]) -> dict[Task, str]:
    prompts = fields.mapping("`prompts`", given.get("prompts"))
    if not prompts:
        raise Malformed(f"`prompts` names no task; tasks are: {', '.join(Task)}")
    fields.check_keys("`prompts`", prompts, Task)
    return {
        Task(task): fields.storable(f"`prompts.{task}`", prompt) for task, prompt in prompts.items()
    }


def _settings(given: Mapping[str, object]) -> dict[str, JsonScalar]:
    settings = fields.mapping("`settings`", given.get("settings", {}))
    return {
        fields.label("a name in `settings`", name): fields.scalar(f"`settings.{name}`", value)
        for name, value in settings.items()
    }
