"""What a PAM checkpoint holds, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from adapters.checkpoint import Checkpoint, parameter_count
from adapters.checkpoint_files import weight_files
from adapters.inspection import (
    Finding,
    Inspection,
    inspect_part,
    look,
    planned,
    weight_bytes,
)
from adapters.interface import JsonScalar
from adapters.pam.adapter import PUBLISHED
from adapters.pam.checkpoint import (
    empty_model,
    expected_shapes,
    expected_tower_shapes,
    find_inner,
    load_tokenizer,
    own_tensors,
    read_config,
)
from adapters.pam.configuration import PamConfig
from adapters.pam.generation import GenerationDefaults
from adapters.pam.prompting import Prompter
from adapters.pam.settings import ADAPTER, Settings
from adapters.pam.tower import find_tower
from adapters.tensor_files import TensorInfo

PARTS: Mapping[str, str] = {
    "Perceiver": "model.vision_resampler.",
    "projectors": "model.mm_projector_",
}
"""Every other tensor is the language model's, newlines included."""


class _Tower(NamedTuple):
    """Where SAM 2 was found, which copy it is, and its tensors."""

    source: str
    kind: str
    shapes: Mapping[str, TensorInfo]


def inspect(
    checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
) -> Inspection:
    """Look at configuration, weight headers, vision tower and tokenizer.

    Raises:
        SettingError: a setting cannot be used.
        CheckpointError: there is no such folder, nor a Hub id that can be had.
    """
    chosen = Settings.read(settings)
    name, folder = find_inner(checkpoint, revision)
    raw, about_config = look("configuration", lambda: read_config(name, folder), _layers)
    fields = raw or {}
    main, about_files = look("weight files", lambda: _read_files(name, folder), _count)
    prompter, about_tokenizer = look(
        "tokenizer", lambda: Prompter(load_tokenizer(folder, fields)), _vocabulary
    )
    generation, about_generation = look(
        "generation", lambda: GenerationDefaults.read(folder, fields), _penalty
    )
    findings = [about_config, about_files, about_tokenizer, about_generation]
    parameters, tower = 0, None
    if main is not None:
        tower, about_tower = look(
            "vision tower's file", lambda: _read_tower(*main, chosen), lambda found: found.source
        )
        findings.append(about_tower)
    if raw is not None and main is not None and prompter is not None and tower is not None:
        entries, shapes, tower_shapes = len(prompter.tokenizer), main[1], tower.shapes
        config, about_sizes = look(
            "sizes", lambda: PamConfig.from_official(raw, entries, shapes, tower_shapes), _trunk
        )
        findings.append(about_sizes)
        if config is not None:
            parameters, about_tensors = _inspect_tensors(config, shapes, tower_shapes)
            findings += about_tensors
    shown = chosen.for_card(
        tower.kind if tower else "not found", generation.repetition_penalty if generation else 1.0
    )
    return Inspection(
        adapter=ADAPTER,
        checkpoint=name,
        findings=tuple(findings),
        parameters=parameters,
        bytes_by_dtype=weight_bytes(parameters),
        plan=planned(chosen.questions, shown, PUBLISHED.get(name)),
    )


def _read_files(name: str, folder: Path) -> tuple[Checkpoint, dict[str, TensorInfo]]:
    found = Checkpoint(name, folder, weight_files(folder, name))
    return found, found.shapes()


def _read_tower(found: Checkpoint, shapes: Mapping[str, TensorInfo], chosen: Settings) -> _Tower:
    tower = find_tower(found, shapes, chosen.vision_tower)
    return _Tower(tower.source, tower.kind, tower.shapes(shapes))


def _inspect_tensors(
    config: PamConfig, shapes: Mapping[str, TensorInfo], tower: Mapping[str, TensorInfo]
) -> tuple[int, list[Finding]]:
    """The model's parameters, and what is to be said of its tensors."""
    model = empty_model(config)
    own = own_tensors(shapes, config.language.tie_word_embeddings)
    expected, others = expected_shapes(model), tuple(PARTS.values())
    findings = [
        inspect_part("vision tower", lambda: tower, expected_tower_shapes(model, tower)),
        *(inspect_part(part, lambda: own, expected, prefix) for part, prefix in PARTS.items()),
        inspect_part(
            "language model",
            lambda: {n: t for n, t in own.items() if not n.startswith(others)},
            {n: s for n, s in expected.items() if not n.startswith(others)},
        ),
    ]
    return parameter_count(model.parameters()), findings


def _layers(raw: Mapping[str, object]) -> str:
    layers, width = raw.get("num_hidden_layers"), raw.get("hidden_size")
    return f"{layers} layers of {width} for the text"


def _count(found: tuple[Checkpoint, Mapping[str, TensorInfo]]) -> str:
    return f"{len(found[1]):,} tensors in {len(found[0].weights)} files"


def _vocabulary(prompter: Prompter) -> str:
    return f"{len(prompter.tokenizer):,} tokens"


def _penalty(generation: GenerationDefaults) -> str:
    return f"repetition penalty {generation.repetition_penalty}"


def _trunk(config: PamConfig) -> str:
    tower = config.tower
    return f"{sum(tower.blocks)} blocks of up to {tower.stage_widths[-1]} for the picture"
