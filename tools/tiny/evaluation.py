"""How well held-out scenes are read while training runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from adapters.wow_seg.attention import Cascade
from tools.tiny.examples import Example
from tools.tiny.training import Trainer

_BATCH = 10
_WORDS = ("colour", "shape")


def word_accuracy(
    trainer: Trainer, scenes: Sequence[Example], cascade: Cascade | None
) -> dict[str, float]:
    """Share of words predicted right, teacher-forced, in one prompt a region and in one a scene.

    Args:
        trainer: the model and its prompts.
        scenes: held-out scenes.
        cascade: attention of the second form; ``None`` leaves it out.
    """
    forms: list[tuple[str, Cascade | None]] = [("single", None)]
    if cascade is not None:
        forms.append(("together", cascade))
    scores = {}
    for form, attention in forms:
        right = _right(trainer, scenes, attention)
        for position, word in enumerate(_WORDS):
            scores[f"{form}_{word}"] = round(float(right[:, position].float().mean()), 4)
    return scores


def _right(trainer: Trainer, scenes: Sequence[Example], cascade: Cascade | None) -> torch.Tensor:
    """Bool ``[regions, tokens of an answer]``: every answer is two words and an end."""
    trainer.model.eval()
    right = []
    with torch.no_grad():
        for start in range(0, len(scenes), _BATCH):
            forward = trainer.forward(scenes[start : start + _BATCH], cascade)
            right.append(forward.logits.argmax(-1) == forward.targets)
    return torch.cat(right).reshape(-1, len(_WORDS) + 1)
