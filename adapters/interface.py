"""The region-recognition interface: what every adapter is asked and what it answers.

Light on purpose: numpy and Pillow only, so that suites and the command line can import it
without loading a deep-learning framework.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import PIL.Image

if TYPE_CHECKING:
    import torch

JsonScalar = str | int | float | bool | None


class AdapterError(Exception):
    """Base of every error an adapter raises on purpose; the message names what to change."""


class UnknownAdapter(AdapterError):
    """The adapter name is not registered."""


class UnsupportedTask(AdapterError):
    """The model has no trained prompt for the task and none was given."""


class CheckpointError(AdapterError):
    """The checkpoint is missing, partial, of another model, or in a refused format."""


class CheckpointMissing(CheckpointError):
    """The checkpoint, or a file of it, is not there."""


class DeviceError(AdapterError):
    """The device asked for does not exist on this machine."""


class SettingError(AdapterError):
    """A setting is unknown to the adapter or has a value it cannot use."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known names, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""


class RLE(NamedTuple):
    """One binary mask as COCO compressed run-length encoding.

    ``size`` is ``(height, width)`` in pixels; ``counts`` the ASCII string pycocotools writes.
    """

    size: tuple[int, int]
    counts: str


class Box(NamedTuple):
    """An axis-aligned box in pixels: left, top, width, height (COCO's ``bbox``)."""

    x: float
    y: float
    width: float
    height: float


class Task(StrEnum):
    """What the model is asked to say about a region."""

    CATEGORY = "category"  # one word or phrase
    PHRASE = "phrase"
    DESCRIPTION = "description"


class Status(StrEnum):
    """How the question about one region ended."""

    ANSWERED = "answered"
    EMPTY = "empty"  # the model answered with no text
    UNANSWERABLE = "unanswerable"  # valid input, but the model cannot see the mask; final
    ERRORED = "errored"  # never cached; asked again on the next run


class FinishReason(StrEnum):
    """Why decoding ended: at a stop token, at the token limit, or it never began."""

    STOP = "stop"
    LENGTH = "length"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RegionQuery:
    """One image and the N regions to name in it.

    ``masks``, ``region_ids`` and (where given) ``boxes`` are aligned, N long; masks have the
    image's size and are decoded where needed.
    """

    image_id: str
    image: PIL.Image.Image
    image_path: Path | None
    masks: Sequence[RLE]
    boxes: Sequence[Box] | None
    region_ids: Sequence[str]
    task: Task


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said about one region.

    ``text`` is cleaned of end-of-turn markers only; ``token_ids`` are the generated ids as
    decoded; ``prompt_tokens`` counts the positions the model was prefilled with for the region.
    """

    text: str
    token_ids: tuple[int, ...]
    status: Status
    finish_reason: FinishReason
    prompt_tokens: int
    error: str | None = None

    @classmethod
    def unanswerable(cls, reason: str) -> Answer:
        """The model cannot see this region (final; scores 0)."""
        return cls("", (), Status.UNANSWERABLE, FinishReason.NONE, 0, reason)

    @classmethod
    def errored(cls, error: str) -> Answer:
        """Something failed; the region is asked again on the next run."""
        return cls("", (), Status.ERRORED, FinishReason.NONE, 0, error)

    @classmethod
    def generated(
        cls, text: str, token_ids: Sequence[int], finish_reason: FinishReason, prompt_tokens: int
    ) -> Answer:
        """A decoded answer: ``answered``, or ``empty`` when it holds no text."""
        status = Status.ANSWERED if text.strip() else Status.EMPTY
        return cls(text, tuple(token_ids), status, finish_reason, prompt_tokens)


@dataclass(frozen=True, slots=True)
class Generation:
    """Greedy decoding's limits.

    ``forced_tokens`` makes every answer exactly that many tokens long, ignoring stop tokens
    (efficiency sweeps); ``None`` stops where the model stops.
    """

    max_new_tokens: int
    forced_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class AdapterCard:
    """Everything that identifies what answered, and is printed beside its scores.

    ``revision`` is raised whenever the adapter's outputs change for the same checkpoint.
    ``checkpoint`` is the name a reader knows (Hub id or folder name, never an absolute path);
    ``checkpoint_digest`` hashes its contents. ``parameters`` is the total count. ``prompts``
    holds the exact prompt by task; ``settings`` the adapter's own options that change outputs.
    ``context_dependent`` is true when a region's answer depends on the query's other regions.
    """

    name: str
    revision: int
    checkpoint: str
    checkpoint_digest: str
    parameters: int
    dtype: str
    device: str
    prompts: Mapping[Task, str]
    settings: Mapping[str, JsonScalar] = field(default_factory=dict)
    base_model: str | None = None
    licence: str | None = None
    context_dependent: bool = False


class RegionRecognizer(Protocol):
    """A loaded model that names regions."""

    @property
    def card(self) -> AdapterCard:
        """What this recognizer is."""
        ...

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query, in order.

        Args:
            queries: images with their regions; may hold different tasks.
            generation: decoding limits.

        Returns:
            One list per query, one ``Answer`` per region, aligned with ``query.masks``.

        Raises:
            UnsupportedTask: the model has no prompt for a query's task.
        """
        ...


@runtime_checkable
class ExposesLogits(Protocol):
    """Models that run in this process; for conformance tests."""

    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token: float32 ``[regions, vocabulary]``."""
        ...
