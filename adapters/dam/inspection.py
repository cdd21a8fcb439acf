"""What a DAM checkpoint holds, without loading it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from adapters.checkpoint import find_part, parameter_count
from adapters.checkpoint_files import find_folder
from adapters.dam.adapter import PUBLISHED
from adapters.dam.checkpoint import load_tokenizer, part_shapes
from adapters.dam.configuration import DamConfig
from adapters.dam.layout import VISION, Layout, read_layout
from adapters.dam.modeling import DamModel
from adapters.dam.settings import ADAPTER, read_prompts
from adapters.inspection import Finding, Inspection, inspect_part, look, planned, weight_bytes
from adapters.interface import JsonScalar
from adapters.tensor_files import TensorInfo


def inspect(
    checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
) -> Inspection:
    """Check a checkpoint's configurations, tokenizer, and every part's tensors by their headers.

    Raises:
        CheckpointError: there is no such folder, or the Hub cannot give it.
        SettingError: a setting cannot be used.
    """
    prompts = read_prompts(checkpoint, settings)
    name, folder = find_folder(checkpoint, revision)
    found, finding = look("configuration", lambda: _read(name, folder), lambda f: _sizes(f[1]))
    findings, parameters = [finding], 0
    if found is not None:
        layout, config = found
        vision, _ = look(VISION, partial(_shapes, layout, VISION), str)
        with torch.device("meta"):
            model = DamModel(config if vision is None else config.holding(vision))
        parameters = parameter_count(model.parameters())
        findings += [
            inspect_part(part, partial(_shapes, layout, part), part_shapes(model, part))
            for part in layout.part_names
        ]
        findings.append(_inspect_tokenizer(layout, config))
    return Inspection(
        adapter=ADAPTER,
        checkpoint=name,
        findings=tuple(findings),
        parameters=parameters,
        bytes_by_dtype=weight_bytes(parameters),
        plan=planned(prompts, {}, PUBLISHED.get(name)),
    )


def _read(name: str, folder: Path) -> tuple[Layout, DamConfig]:
    layout = read_layout(name, folder)
    return layout, DamConfig.from_layout(layout)


def _sizes(config: DamConfig) -> str:
    vision, language = config.vision, config.language
    context = "with" if config.context else "without"
    return (
        f"SigLIP {vision.num_hidden_layers}x{vision.hidden_size} {context} context provider, "
        f"Llama {language.num_hidden_layers}x{language.hidden_size}"
    )


def _shapes(layout: Layout, part: str) -> dict[str, TensorInfo]:
    return find_part(layout.folder, layout.name, part).shapes()


def _inspect_tokenizer(layout: Layout, config: DamConfig) -> Finding:
    _, finding = look(
        "tokenizer",
        lambda: load_tokenizer(layout, config.language.vocab_size),
        lambda tokenizer: f"SentencePiece, {tokenizer.vocab_size:,} pieces",
    )
    return finding
