"""Weights in the official layout, into :class:`DamModel`."""

from __future__ import annotations

import torch

from adapters.checkpoint import check_tensors, put_weights
from adapters.dam.configuration import DamConfig
from adapters.dam.layout import LANGUAGE, VISION, Layout
from adapters.dam.modeling import DamModel
from adapters.interface import CheckpointError
from adapters.language import restore_buffers
from adapters.llama_tokenizer import LlamaTokenizer, load_slow_tokenizer
from adapters.random_weights import random_weights


def load_model(layout: Layout, device: torch.device, dtype: torch.dtype) -> DamModel:
    """Build the model and put the checkpoint's weights into it, ready for inference.

    Raises:
        CheckpointError: a part is missing, or its configuration or weights are not a DAM's.
    """
    parts = layout.parts()
    config = DamConfig.from_layout(layout).holding(parts[VISION].shapes())
    with torch.device("meta"):
        model = DamModel(config)
    state: dict[str, torch.Tensor] = {}
    for part, files in parts.items():
        tensors = files.tensors()
        check_tensors(files.name, tensors, part_shapes(model, part))
        state |= {f"{part}.{name}": tensor for name, tensor in tensors.items()}
    if device.type != "meta":
        put_weights(model, state, device, dtype)
        restore_buffers(model.llm)
    return model.eval()


def part_shapes(model: DamModel, part: str) -> dict[str, tuple[int, ...]]:
    """Shapes of a part's tensors, by official name."""
    return {k: tuple(v.shape) for k, v in model.get_submodule(part).state_dict().items()}


def random_model(
    config: DamConfig, seed: int, device: torch.device, dtype: torch.dtype
) -> DamModel:
    """A model with random weights, the same on every device for the same seed."""
    return random_weights(lambda: DamModel(config), seed, device, dtype)


def load_tokenizer(layout: Layout, vocab_size: int) -> LlamaTokenizer:
    """The checkpoint's tokenizer, in the slow reading that the model was trained with.

    Args:
        layout: the checkpoint.
        vocab_size: of its language model.

    Raises:
        CheckpointError: there is none, it cannot be read, or it is of another size.
    """
    tokenizer = load_slow_tokenizer(layout.folder / LANGUAGE)
    if tokenizer.vocab_size != vocab_size:
        raise CheckpointError(
            f"{layout.name}: {LANGUAGE}/tokenizer.model has {tokenizer.vocab_size} pieces, but the "
            f"language model a vocabulary of {vocab_size}; they do not belong together"
        )
    return tokenizer
