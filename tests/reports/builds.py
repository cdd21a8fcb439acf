"""Boards to build a site from again and again, and which of their pages were made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import pytest

from reports import building
from reports.frames import Board, PageSource, RunReport
from tests.reports import boards
from tests.reports.boards import Made


def given(report: RunReport) -> RunReport:
    """What a source loads; a function of a module, so that another process can be sent it."""
    return report


def board(made: list[Made], *, title: str = "Board") -> Board:
    """The board of these runs, whose pages say what they are made from."""
    sources = tuple(
        PageSource(one.page.run, f"digest of {one.row['model']}", partial(given, one.page))
        for one in made
    )
    return dataclasses.replace(boards.board(made, title=title), pages=sources)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The models whose pages were made since the last call."""
    seen: list[str] = []
    make = building._make

    def noting(*given: object) -> object:
        seen.append(given[1].run.model)  # type: ignore[attr-defined]
        return make(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "_make", noting)

    def take() -> list[str]:
        found = sorted(seen)
        seen.clear()
        return found

    return take


def three() -> list[Made]:
    return [boards.run(name, images=3) for name in ("a", "b", "c")]
