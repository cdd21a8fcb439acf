"""What an Osprey checkpoint holds, from its headers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from adapters.checkpoint import Checkpoint, check_model_type
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
from adapters.llama_tokenizer import LlamaTokenizer
from adapters.osprey.adapter import PUBLISHED
from adapters.osprey.checkpoint import (
    TOWER,
    expected_shapes,
    load_tokenizer,
    used_shapes,
    with_vision_tower,
)
from adapters.osprey.configuration import OspreyConfig
from adapters.osprey.prompting import Prompter
from adapters.osprey.settings import ADAPTER, Settings

Value = TypeVar("Value")

PARTS: Mapping[str, str] = {
    "vision tower": TOWER,
    "projector": "model.mm_projector.",
    "mask extractor": "mask_extractor.",
}
"""Every other tensor is the language model's."""


def inspect(
    checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
) -> Inspection:
    """Look at configuration, weight headers, vision tower and tokenizer.

    Raises:
        SettingError: a setting cannot be used.
        CheckpointError: there is no such folder, nor a Hub id that can be had.
    """
    chosen = Settings.read(settings)
    name, folder = find_folder(checkpoint, revision)
    config, about_config = look("configuration", lambda: _read_config(folder, name), _sizes)
    main, about_files = look("weight files", lambda: _read_files(folder, name), _names)
    findings = [about_config, about_files]
    expected = expected_shapes(config) if config is not None else {}
    if config is not None and main is not None:
        findings += _inspect_weights(main, config, chosen.vision_tower, expected)
    sizes = {name: math.prod(shape) for name, shape in expected.items()}
    parameters = sum(sizes.values())
    extractor = sum(n for name, n in sizes.items() if name.startswith(PARTS["mask extractor"]))
    return Inspection(
        adapter=ADAPTER,
        checkpoint=name,
        findings=(*findings, _inspect_tokenizer(folder, config, chosen)),
        parameters=parameters,
        bytes_by_dtype=weight_bytes(parameters, always_float32=extractor),
        plan=planned(chosen.prompts, {}, PUBLISHED.get(name)),
    )


def _read_config(folder: Path, name: str) -> OspreyConfig:
    check_model_type(folder, name, ADAPTER)
    return OspreyConfig.from_json(folder / "config.json")


def _read_files(folder: Path, name: str) -> Checkpoint:
    found = Checkpoint(name, folder, weight_files(folder, name))
    found.shapes()  # refuses damaged files
    return found


def _inspect_weights(
    main: Checkpoint,
    config: OspreyConfig,
    vision_tower: str | None,
    expected: Mapping[str, Sequence[int]],
) -> list[Finding]:
    whole, about_file = look(
        "file of CLIP weights", lambda: with_vision_tower(main, config, vision_tower), _extra
    )
    shapes, finding = look("tensors", lambda: used_shapes(whole or main), lambda _: "")
    if shapes is None:
        return [about_file, finding]
    findings = [
        inspect_part(subject, lambda: shapes, expected, prefix) for subject, prefix in PARTS.items()
    ]
    language = inspect_part(
        "language model", lambda: _language_model(shapes), _language_model(expected)
    )
    return [about_file, *findings, language]


def _language_model(tensors: Mapping[str, Value]) -> dict[str, Value]:
    """What is of no other part."""
    others = tuple(PARTS.values())
    return {name: value for name, value in tensors.items() if not name.startswith(others)}


def _inspect_tokenizer(folder: Path, config: OspreyConfig | None, chosen: Settings) -> Finding:
    def read() -> LlamaTokenizer:
        tokenizer = load_tokenizer(folder)
        if config is not None:
            prompter = Prompter(tokenizer, config.language.vocab_size)
            for prompt in chosen.prompts.values():
                prompter.prompt(prompt)  # refuses ids that the model does not embed
        return tokenizer

    return look("tokenizer", read, lambda tokenizer: f"{tokenizer.vocab_size:,} tokens")[1]


def _sizes(config: OspreyConfig) -> str:
    vision, language = config.vision, config.language
    return (
        f"{sum(vision.depths)} blocks of up to {max(vision.widths)} for the picture, "
        f"{language.num_hidden_layers} layers of {language.hidden_size} for the text"
    )


def _names(checkpoint: Checkpoint) -> str:
    return ", ".join(path.name for path in checkpoint.weights)


def _extra(checkpoint: Checkpoint) -> str:
    return ", ".join(path.name for path in checkpoint.extra) or "not needed"
