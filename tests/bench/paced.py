"""A model whose every query takes as long as it says, by a clock of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from adapters.costs import PhaseCosts
from adapters.cuts import Cut
from adapters.interface import (
    AdapterCard,
    Answer,
    FinishReason,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Task,
)
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="paced",
    summary="takes a second a picture and a tenth a region",
    loader="regionbench_paced:load_model",
    tasks=(Task.CATEGORY,),
    settings={
        "breaks": "how it fails: memory, device, load, cost, cut, or beside others: crowd, room; "
        "or gives answers, lengths, number that are wrong",
        "breaks_at": "with how many regions it fails, and beyond",
        "breaks_after": "how many calls are answered before",
        "limit": "most regions it can be asked about at once",
        "length": "tokens of an answer that ends by itself",
        "forces": "whether it knows forced answers",
        "keeps": "whether it keeps the last picture, or all",
        "hurries": "whether forced answers differ from others",
        "wavers": "whether every answer differs from the one before",
        "max_tiles": "most tiles a picture is cut into",
    },
    presets=("small",),
    coster="regionbench_paced:cost",
    cutter="regionbench_paced:cut",
)
COSTLESS = AdapterEntry(
    name="costless",
    summary="the same without a cost",
    loader="regionbench_paced:load_model",
    tasks=(Task.CATEGORY,),
    presets=("small",),
)
ASKED: list[tuple[str, int]] = []
"""Every call of any model: which, and about how many regions."""
LOADED: list[PacedModel] = []
"""Models that were loaded and not closed."""
COUNTED: list[tuple[str, int]] = []
"""Every count of a cost: of which preset, and of how many regions."""
BROKEN = {
    "memory": "CUDA out of memory. Tried to allocate 2 GiB",
    "device": "CUDA error: the device has fallen off the bus\nCompile with TORCH_USE_CUDA_DSA",
}


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = Clock()


class PacedModel:
    """Advances the clock by 1 s a picture, 0.1 s a region and 0.01 s a token."""

    def __init__(self, card: AdapterCard, settings: dict[str, JsonScalar], clock: Clock) -> None:
        self.card = card
        self.calls: list[int] = []
        self._settings, self._clock = settings, clock
        self._kept: set[str] = set()

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        return [self._answer(query, generation) for query in queries]

    def _answer(self, query: RegionQuery, generation: Generation) -> list[Answer]:
        regions = len(query.masks)
        self.calls.append(regions)
        ASKED.append((self.card.checkpoint, regions))
        breaks = str(self._settings.get("breaks"))
        if breaks == "crowd" and len(LOADED) > 1:
            breaks = "memory"
        if regions < self._number("breaks_at", 1):
            breaks = ""
        if len(self.calls) <= self._number("breaks_after", 0):
            breaks = ""
        if breaks in BROKEN:
            raise RuntimeError(BROKEN[breaks])
        if breaks == "answers":
            return [Answer.errored("the worker is gone")] * regions
        if regions > self._number("limit", regions):
            return [Answer.errored("the prompt exceeds the context of 100")] * regions
        length = min(self._number("length", 3), generation.max_new_tokens)
        if generation.forced_tokens is not None and self._settings.get("forces", True):
            length = generation.forced_tokens - (breaks == "lengths")
        cached = self._settings.get("keeps") and query.image_id in self._kept
        self._kept = {query.image_id} | (
            self._kept if self._settings.get("keeps") == "all" else set()
        )
        self._clock.seconds += 0.2 if cached else 1 + 0.1 * regions + 0.01 * length
        first = 9 if generation.forced_tokens and self._settings.get("hurries") else 1
        first += len(self.calls) if self._settings.get("wavers") else 0
        tokens = tuple(range(first, first + length))
        return [
            Answer.generated(" ".join(map(str, tokens)), tokens, FinishReason.STOP, 10)
            for _ in query.masks[breaks == "number" :]
        ]

    def close(self) -> None:
        LOADED.remove(self)

    def _number(self, name: str, otherwise: int) -> int:
        return int(str(self._settings.get(name, otherwise)))


def load_model(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = "small",
    device: str = "cpu",
    dtype: str = "float32",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> PacedModel:
    breaks = settings.get("breaks")
    if breaks == "load" and device != "meta":
        raise RuntimeError(BROKEN["device"])
    if breaks == "room" and device != "meta" and LOADED:
        raise RuntimeError(BROKEN["memory"])
    name = f"{checkpoint or preset}-{seed}"
    model = paced_model(settings, name, "cpu" if device == "auto" else device)
    if device != "meta":
        LOADED.append(model)
    return model


def paced_model(
    settings: dict[str, JsonScalar], name: str = "small", device: str = "cpu"
) -> PacedModel:
    card = AdapterCard(
        name="paced",
        revision=1,
        checkpoint=name,
        checkpoint_digest=hashlib.sha256(name.encode()).hexdigest(),
        parameters=7,
        dtype="float32",
        device=device,
        prompts={Task.CATEGORY: "What is it?"},
        settings=settings,
    )
    return PacedModel(card, settings, CLOCK)


def cost(
    preset: str,
    *,
    instances: int,
    tokens: int,
    size: tuple[int, int],
    dtype: str = "auto",
    **settings: JsonScalar,
) -> PhaseCosts:
    COUNTED.append((preset, instances))
    if instances > int(str(settings.get("limit", instances))):
        raise SettingError("nothing to count: the prompt exceeds the context of 100")
    if settings.get("breaks") == "cost" and instances >= int(str(settings.get("breaks_at", 1))):
        raise KeyError("layers")
    return PhaseCosts(1000, 100 * instances, 10 * tokens * instances, 64)


def cut(size: tuple[int, int], **settings: JsonScalar) -> Cut:
    if settings.get("breaks") == "cut":
        raise ZeroDivisionError("no tile is that small")
    tiles = settings.get("max_tiles", 1)
    return Cut(f"{tiles} of {size[0]}", 27)
