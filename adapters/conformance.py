"""Comparing what an adapter computes with stored numbers of the official code.

A golden fixture is a folder with ``checkpoint/``, the pictures in ``inputs/``, the questions in
``cases.json`` and the official code's numbers in ``expected.safetensors``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.interface import AdapterError
from adapters.json_text import parse_json

if TYPE_CHECKING:
    import PIL.Image
    import torch


CLEAR_MARGIN = 0.05  # between the best two logits; rounding may decide on less


class FixtureError(AdapterError):
    """A golden fixture is missing, incomplete or not this adapter's."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A golden fixture, its numbers read."""

    folder: Path
    cases: Mapping[str, Any]
    expected: Mapping[str, torch.Tensor]

    @classmethod
    def read(cls, folder: Path) -> Fixture:
        """Read the fixture in ``folder``.

        Raises:
            FixtureError: a file is missing or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            cases = parse_json((folder / "cases.json").read_text(encoding="utf-8"))
            expected = load_file(folder / "expected.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise FixtureError(
                f"golden fixture {folder} cannot be read: {error}; give the folder as it is under "
                "tests/goldens of the source repository"
            ) from error
        return cls(folder, _Cases(cases, folder), expected)

    @property
    def checkpoint(self) -> Path:
        """Folder of the tiny checkpoint the numbers are of."""
        return self.folder / "checkpoint"

    def picture(self, name: str) -> PIL.Image.Image:
        """The picture whose path in the folder is ``name``, as RGB.

        Raises:
            FixtureError: it is missing or damaged.
        """
        from PIL import Image

        try:
            return Image.open(self.folder / name).convert("RGB")
        except OSError as error:
            raise FixtureError(f"golden fixture {self.folder}: {name}: {error}") from error

    def tensor(self, name: str) -> torch.Tensor:
        """The expected tensor called ``name``.

        Raises:
            FixtureError: there is none.
        """
        if name not in self.expected:
            raise FixtureError(f"golden fixture {self.folder}: no {name!r} in expected.safetensors")
        return self.expected[name]


class _Cases(dict[str, Any]):
    """The fixture's questions; what it lacks is the fixture's fault."""

    def __init__(self, cases: Mapping[str, Any], folder: Path) -> None:
        super().__init__(cases)
        self._folder = folder

    def __missing__(self, key: str) -> Any:
        raise FixtureError(f"golden fixture {self._folder}: no {key!r} in cases.json")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One compared thing: of ``stage`` (such as "tokens" or "logits"), in the fixture's ``case``.

    ``difference`` is infinite where the two could not be laid over each other.
    """

    stage: str
    case: str
    difference: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance


def compare_close(
    stage: str,
    case: str,
    found: torch.Tensor,
    wanted: torch.Tensor,
    tolerance: float,
) -> Comparison:
    """The largest absolute difference of two arrays.

    Args:
        stage: what is compared.
        case: in which case of the fixture.
        found: numbers of any shape and type, on any device.
        wanted: the fixture's numbers, of the same shape.
        tolerance: what the difference may be at most.

    Returns:
        Difference infinite for another shape, or where only one of the two is NaN.
    """
    here, there = found.detach().cpu().double(), wanted.detach().cpu().double()
    if here.shape != there.shape:
        return Comparison(stage, case, math.inf, tolerance)
    alike = (here == there) | (here.isnan() & there.isnan())
    apart = (here - there).abs().nan_to_num(math.inf, math.inf)[~alike]
    return Comparison(stage, case, float(apart.max()) if apart.numel() else 0.0, tolerance)


def compare_equal(
    stage: str, case: str, found: Sequence[object], wanted: Sequence[object]
) -> Comparison:
    """The number of places in which two sequences differ, of which none may.

    Texts are sequences of characters.

    Returns:
        Difference infinite for sequences of different lengths.
    """
    if len(found) != len(wanted):
        return Comparison(stage, case, math.inf, 0.0)
    places = sum(here != there for here, there in zip(found, wanted, strict=True))
    return Comparison(stage, case, float(places), 0.0)


def compare_rounded(case: str, rounded: torch.Tensor, wanted: torch.Tensor) -> list[Comparison]:
    """The first token in bfloat16, where the official float32 logits are clear about it.

    Args:
        case: in which case of the fixture.
        rounded: logits ``[vocabulary]`` computed in bfloat16.
        wanted: the official ones.

    Returns:
        Nothing where the best two of ``wanted`` are no more than :data:`CLEAR_MARGIN` apart.
    """
    first, second = wanted.topk(2).values.tolist()
    if first - second <= CLEAR_MARGIN:
        return []
    tokens = [int(rounded.argmax())], [int(wanted.argmax())]
    return [compare_equal("first token in bfloat16", case, *tokens)]
