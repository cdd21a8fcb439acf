"""``bench doctor --model``: is a model's checkpoint whole, how large is it, what would be run.

A model of the ``external`` adapter is its program: that is started for its handshake, and ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters import external, registry
from adapters.inspection import Finding, Inspection, Verdict, planned, weight_bytes
from adapters.interface import AdapterCard, CheckpointError, JsonScalar
from adapters.lifecycle import Closes
from adapters.registry import AdapterEntry
from bench.certificates import find_certificate
from bench.certifying import adapter_revision
from bench.choices import ModelChoice, configured_model
from bench.config import Config, ModelSpec
from bench.errors import CertificateError, ConfigError

_PROGRAM = external.ENTRY.name  # whose model is a program, with or without a checkpoint


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found of one model's checkpoint.

    ``meant_for`` is the adapter it is a checkpoint of, where that is another one. ``plan`` is
    what a run would use: adapter, device, dtype, prompts, settings, base model, certificate.
    """

    inspection: Inspection
    meant_for: str | None
    plan: Mapping[str, JsonScalar]


def choose_model(
    config: Config, name: str, checkpoint: str | None, revision: str | None, adapter: str | None
) -> ModelSpec:
    """The model called ``name`` with what is given in place of its own, else an ad-hoc one.

    Raises:
        ConfigError: the configuration has no such model and nothing says which adapter it needs,
            or there is no checkpoint to look at.
        CheckpointError: the adapter was to be read from a checkpoint that is not there.
    """
    known = config.contents.models.get(name)
    if known is not None and adapter in (None, known.adapter):
        given = {"checkpoint": checkpoint, "revision": revision}
        update = {key: value for key, value in given.items() if value is not None}
        spec = configured_model(config, name).model_copy(update=update)
    else:
        if adapter is None and checkpoint is not None:
            adapter = _adapter_of(checkpoint, revision)
        if adapter is None:
            spec = configured_model(config, name)
        else:
            spec = ModelSpec(adapter=adapter, checkpoint=checkpoint, revision=revision)
    if spec.checkpoint is None and spec.adapter != _PROGRAM:
        raise ConfigError(f"model {name!r} has no checkpoint to look at; give --checkpoint")
    return spec


def examine_model(config: Config, spec: ModelSpec) -> Checkup:
    """Look at a model's checkpoint, loading none of its weights; start and end a program.

    Raises:
        SettingError: the adapter cannot inspect checkpoints, or a setting cannot be used.
        DeviceError: the device is not on this machine.
    """
    entry = registry.entry(spec.adapter)
    if entry.name == _PROGRAM:
        return _started(config, entry, spec)
    checkpoint = str(spec.checkpoint)
    owner = _owner(checkpoint, spec.revision)
    meant_for = None if owner == entry.name or not entry.model_types else owner
    try:
        if meant_for is not None:
            raise CheckpointError(f"it is a checkpoint for the adapter {meant_for!r}")
        inspection = entry.inspect(checkpoint, revision=spec.revision, **spec.settings)
    except CheckpointError as error:
        verdict = Verdict.MISSING if meant_for is None else Verdict.MISMATCHED
        finding = Finding("checkpoint", verdict, str(error))
        inspection = Inspection(entry.name, checkpoint, (finding,), 0, weight_bytes(0), {})
    return Checkup(
        inspection,
        meant_for,
        {"adapter": entry.name, **_precision(spec), **inspection.plan}
        | {"certificate": _certificate(config, entry)},
    )


def _started(config: Config, entry: AdapterEntry, spec: ModelSpec) -> Checkup:
    """What a program says of itself; it is given what a run would give it, and asked nothing."""
    from adapters.external.errors import WorkerError

    plan: dict[str, JsonScalar] = {"adapter": entry.name, "device": f"its own, told {spec.device}"}
    command = str(spec.settings.get("command", ""))
    try:
        model = ModelChoice(command, spec, ()).load()
    except WorkerError as error:
        remedy = "start the command by hand here: its first line must be the handshake"
        found = Finding("handshake", Verdict.DAMAGED, str(error), remedy)
        return Checkup(Inspection(entry.name, command, (found,), 0, {}, {}), None, plan)
    if isinstance(model, Closes):
        model.close()
    card = model.card
    findings = (
        Finding("handshake", Verdict.OK, f"given by `{command}`, which was then ended"),
        Finding("model", Verdict.OK, _described(card)),
        Finding("tasks", Verdict.OK, ", ".join(card.prompts)),
    )
    told = planned(card.prompts, card.settings, card.base_model)
    inspection = Inspection(entry.name, card.checkpoint, findings, card.parameters, {}, told)
    return Checkup(
        inspection,
        None,
        {**plan, "dtype": card.dtype, **told, "certificate": _certificate(config, entry)},
    )


def _described(card: AdapterCard) -> str:
    parts = [card.checkpoint]
    if card.parameters:
        parts.append(f"{card.parameters:,} parameters")
    if card.licence is not None:
        parts.append(card.licence)
    if card.context_dependent:
        parts.append("a region's answer depends on the others of its request")
    return ", ".join(parts)


def _precision(spec: ModelSpec) -> dict[str, JsonScalar]:
    from adapters.device import dtype_name, resolve_device, resolve_dtype

    device = resolve_device(spec.device)
    return {"device": str(device), "dtype": dtype_name(resolve_dtype(spec.dtype, device))}


def _certificate(config: Config, entry: AdapterEntry) -> str:
    if entry.certifier is None:
        return "none: it has nothing that golden fixtures could check"
    try:
        record = find_certificate(config.certificates, entry.name, adapter_revision(entry))
    except CertificateError as error:
        return str(error)
    if record is None:
        return f"none; `bench certify {entry.name}` makes one"
    if not record.passed:
        return f"failed in {record.stage or 'an error'}, {record.certified}"
    versions = "these" if record.same_versions else "other"
    return f"passed with {versions} versions, {record.certified}"


def _adapter_of(checkpoint: str, revision: str | None) -> str:
    found = _owner(checkpoint, revision)
    if found is None:
        raise ConfigError(
            f"nothing in {checkpoint} says which adapter it is for; give --adapter, one of "
            f"{', '.join(registry.names())}"
        )
    return found


def _owner(checkpoint: str, revision: str | None) -> str | None:
    """The adapter that the checkpoint's ``config.json`` says it is for, if any."""
    from adapters.checkpoint import owner_of, read_model_type
    from adapters.checkpoint_files import find_folder

    try:
        _, folder = find_folder(checkpoint, revision)
        return owner_of(read_model_type(folder))
    except CheckpointError:
        return None
