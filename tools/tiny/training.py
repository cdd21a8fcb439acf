"""The training loop: scenes in, answers' losses, one optimiser step after another."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from adapters.decoding import additive
from adapters.pixels import normalise
from adapters.wow_seg.attention import Cascade
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.prompting import IGNORED_LABEL, Prompter
from suites.shapes.geometry import SHAPES
from suites.shapes.vocabulary import COLOURS
from tools.tiny.examples import Example
from tools.tiny.sequences import TokenSequence, collate, separately, together


class Variant(StrEnum):
    """What is compared: multi-mask training with and without cascade mask, and single-mask."""

    MM_CASCADE = "mm-cascade"
    MM_CAUSAL = "mm-causal"
    SM = "sm"

    @property
    def cascade(self) -> Cascade | None:
        """The attention among regions asked in one prompt; ``None`` where that never happens."""
        return {
            Variant.MM_CASCADE: Cascade.REGION_OUTPUT,
            Variant.MM_CAUSAL: Cascade.NONE,
            Variant.SM: None,
        }[self]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, beside the variant.

    ``scenes`` are generated once and passed over ``steps * batch / scenes`` times.
    ``single_share`` of a multi-mask run's scenes are asked one region a prompt, the others all
    regions in one: K = 1 is the case that single-mask inference meets. ``region_loss`` weighs an
    auxiliary loss: a linear head, not part of the model, names each region from the mean of its
    tokens, which brings the vision tower to read shapes much sooner than answers alone do.
    """

    seed: int = 0
    scenes: int = 6000
    batch: int = 8
    steps: int = 2400
    learning_rate: float = 1e-3
    warm_up: int = 100
    final_rate: float = 0.01
    weight_decay: float = 0.05
    single_share: float = 0.5
    region_loss: float = 1.0

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, then a cosine."""
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        decay = self.final_rate + (1 - self.final_rate) * cosine
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * decay


class Progress(NamedTuple):
    """Where training stands: ``regions`` counts those shown so far, repeats included."""

    step: int
    regions: int
    loss: float
    seconds: float


class Forward(NamedTuple):
    """A teacher-forced pass.

    ``logits`` ``[answer tokens, vocabulary]``; ``targets``, the tokens they should give;
    ``features`` ``[image tokens, hidden]`` of the vision tower, in prompt order.
    """

    logits: torch.Tensor
    targets: torch.Tensor
    features: torch.Tensor


class Trainer:
    """A model, its prompts, and the auxiliary head that training throws away."""

    def __init__(self, model: WowSegModel, prompter: Prompter) -> None:
        self.model = model
        self.prompter = prompter
        self.head = nn.Linear(model.config.language.hidden_size, len(COLOURS) + len(SHAPES))

    def train(
        self, scenes: Sequence[Example], variant: Variant, recipe: Recipe, every: int
    ) -> Iterator[Progress]:
        """Train, pausing every ``every`` steps and at the end."""
        optimiser = self._optimiser(recipe)
        dice = np.random.default_rng(recipe.seed)
        order: list[int] = []
        losses: list[float] = []
        regions, start = 0, time.monotonic()
        for step in range(1, recipe.steps + 1):
            if len(order) < recipe.batch:
                order = dice.permutation(len(scenes)).tolist()
            batch = [scenes[order.pop()] for _ in range(recipe.batch)]
            single = bool(dice.random() < recipe.single_share)
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(step - 1)
            cascade = None if single else variant.cascade
            losses.append(self._step(optimiser, batch, cascade, recipe.region_loss))
            regions += sum(len(example.names) for example in batch)
            if step % every == 0 or step == recipe.steps:
                mean = sum(losses) / len(losses)
                yield Progress(step, regions, mean, time.monotonic() - start)
                losses.clear()

    def _optimiser(self, recipe: Recipe) -> torch.optim.AdamW:
        parameters = [*self.model.parameters(), *self.head.parameters()]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))

    def _step(
        self,
        optimiser: torch.optim.Optimizer,
        batch: Sequence[Example],
        cascade: Cascade | None,
        region_loss: float,
    ) -> float:
        self.model.train()
        forward = self.forward(batch, cascade)
        loss = nn.functional.cross_entropy(forward.logits, forward.targets)
        optimiser.zero_grad()
        torch.autograd.backward(loss + region_loss * self._region_loss(batch, forward.features))
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimiser.step()
        return loss.item()

    def forward(self, batch: Sequence[Example], cascade: Cascade | None) -> Forward:
        """Run scenes with their answers.

        Args:
            batch: scenes; their answers' tokens follow one another in order.
            cascade: attention among a scene's regions asked in one prompt; ``None`` asks them
                one a prompt.
        """
        tokens = collate([self._sequence(example, cascade) for example in batch])
        features = self._features(batch)
        context = self.prompter.tokens.image_context
        embeddings = self.model.embed(tokens.ids, features, context)
        hidden = self.model.language_model.model(
            inputs_embeds=embeddings,
            attention_mask=additive(tokens.allowed[:, None], embeddings.dtype),
            position_ids=tokens.positions,
            use_cache=False,
        ).last_hidden_state
        targets = tokens.labels[:, 1:]
        answers = targets != IGNORED_LABEL
        logits = self.model.language_model.lm_head(hidden[:, :-1][answers])
        return Forward(logits, targets[answers], features)

    def _sequence(self, example: Example, cascade: Cascade | None) -> TokenSequence:
        counts = [int(keep.sum()) for keep in example.keep]
        image_tokens = self.model.config.tokens_per_tile
        if cascade is None:
            return separately(self.prompter, image_tokens, counts, example.names)
        return together(self.prompter, image_tokens, counts, example.names, cascade)

    def _features(self, batch: Sequence[Example]) -> torch.Tensor:
        """All tokens of every tile and the kept ones of every crop, in prompt order."""
        pixels = torch.from_numpy(np.concatenate([example.pixels for example in batch]))
        keep = np.concatenate(
            [np.pad(e.keep, ((1, 0), (0, 0), (0, 0)), constant_values=True) for e in batch]
        )
        features = self.model.encode(normalise(pixels, self.model.dtype))
        return features[torch.from_numpy(keep).flatten(1)]

    def _region_loss(self, batch: Sequence[Example], features: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of colour and shape, read off the mean of each region's tokens."""
        lengths, regions = [], []
        for example in batch:
            lengths.append(self.model.config.tokens_per_tile)
            regions += [False] + [True] * len(example.names)
            lengths += [int(keep.sum()) for keep in example.keep]
        runs = torch.split(features, lengths)
        means = [run.mean(dim=0) for run, region in zip(runs, regions, strict=True) if region]
        colours, shapes = self.head(torch.stack(means)).split([len(COLOURS), len(SHAPES)], dim=1)
        wanted = torch.tensor([_parts(name) for example in batch for name in example.names])
        return nn.functional.cross_entropy(colours, wanted[:, 0]) + nn.functional.cross_entropy(
            shapes, wanted[:, 1]
        )


def _parts(name: str) -> tuple[int, int]:
    colour, shape = name.split()
    return list(COLOURS).index(colour), SHAPES.index(shape)
