"""What a WOW-Seg checkpoint holds, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from adapters.checkpoint import Checkpoint, parameter_count
from adapters.checkpoint_files import find_folder, weight_files
from adapters.inspection import (
    Finding,
    Inspection,
    inspect_part,
    look,
    planned,
    weight_bytes,
)
from adapters.interface import JsonScalar
from adapters.qwen2_tokenizer import load_qwen2_tokenizer
from adapters.tensor_files import TensorInfo
from adapters.wow_seg.adapter import PUBLISHED
from adapters.wow_seg.checkpoint import to_official
from adapters.wow_seg.configuration import WowSegConfig
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.prompting import Prompter
from adapters.wow_seg.settings import Settings

PARTS: Mapping[str, str] = {
    "vision tower": "vision_model.",
    "projector": "mlp1.",
    "language model": "language_model.",
}


def inspect(
    checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
) -> Inspection:
    """Look at configuration, weight headers and tokenizer.

    Raises:
        SettingError: a setting cannot be used.
        CheckpointError: there is no such folder, nor a Hub id that can be had.
    """
    chosen = Settings.read(settings)
    name, folder = find_folder(checkpoint, revision)
    config, about_config = look(
        "configuration", lambda: WowSegConfig.from_json(folder / "config.json"), _sizes
    )
    shapes, about_files = look(
        "weight files",
        lambda: Checkpoint(name, folder, weight_files(folder, name)).shapes(),
        _count,
    )
    _, about_tokenizer = look(
        "tokenizer", lambda: Prompter(load_qwen2_tokenizer(folder)), _vocabulary
    )
    findings = [about_config, about_files]
    parameters = 0
    if config is not None:
        with torch.device("meta"):
            model = WowSegModel(config)
        parameters = parameter_count(model.parameters())
        if shapes is not None:
            findings += _inspect_tensors(model, shapes)
    return Inspection(
        adapter="wow-seg",
        checkpoint=name,
        findings=(*findings, about_tokenizer),
        parameters=parameters,
        bytes_by_dtype=weight_bytes(parameters),
        plan=planned(chosen.prompts, chosen.for_card(), PUBLISHED.get(name)),
    )


def _inspect_tensors(model: WowSegModel, shapes: Mapping[str, TensorInfo]) -> list[Finding]:
    expected = {name: tuple(t.shape) for name, t in to_official(model.state_dict()).items()}
    findings = [
        inspect_part(subject, lambda: shapes, expected, prefix) for subject, prefix in PARTS.items()
    ]
    strangers = {n: t for n, t in shapes.items() if not n.startswith(tuple(PARTS.values()))}
    if strangers:
        findings.append(inspect_part("other tensors", lambda: strangers, {}))
    return findings


def _sizes(config: WowSegConfig) -> str:
    vision, language = config.vision, config.language
    return (
        f"{vision.num_hidden_layers} layers of {vision.hidden_size} for the picture, "
        f"{language.num_hidden_layers} of {language.hidden_size} for the text"
    )


def _count(shapes: Mapping[str, TensorInfo]) -> str:
    return f"{len(shapes):,} tensors"


def _vocabulary(prompter: Prompter) -> str:
    return f"{len(prompter.tokenizer):,} tokens"
