"""The efficiency page: computed costs and measured speeds, sweep by sweep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from reports import paths
from reports.efficiency_blocks import Block, Figure, Looks, facts, made_of
from reports.efficiency_costs import cost_blocks, cost_datum, split_rows
from reports.efficiency_groups import AnyGroup, Group, groups, in_tiles
from reports.efficiency_quality import quality_blocks
from reports.efficiency_records import Cost, Speed, costs_of, speeds_of
from reports.efficiency_speeds import conditions, point_rows, speed_blocks, speed_datum
from reports.export import Cell, csv_bytes, json_bytes
from reports.frames import Board
from reports.records import Run

FOLDER = "efficiency"


class Part(NamedTuple):
    """One group of comparable points: its charts, and every number behind them.

    ``head`` and ``rows`` are the table of all points, ``columns`` and ``records`` the same for
    machines, at full precision.
    """

    key: str
    title: str
    made: str
    facts: tuple[str, ...]
    blocks: tuple[Block, ...]
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    records: tuple[dict[str, Cell], ...]


class Sweep(NamedTuple):
    """One sweep's part of the page."""

    name: str
    key: str
    costs: tuple[Part, ...]
    speeds: tuple[Part, ...]


def sweeps(board: Board, runs: Sequence[Run]) -> list[Sweep]:
    """Every sweep of the board, by name.

    Raises:
        ReportError: a cell of a frame is not what its column holds.
    """
    costs, speeds = groups(costs_of(board.costs)), groups(speeds_of(board.speeds))
    everything: list[AnyGroup] = [*costs, *speeds]
    names = {group.question.sweep for group in everything}
    return [
        _sweep(
            name,
            [group for group in costs if group.question.sweep == name],
            [group for group in speeds if group.question.sweep == name],
            runs,
        )
        for name in sorted(names)
    ]


def efficiency_files(shown: Sequence[Sweep]) -> Iterator[tuple[str, bytes]]:
    """Every chart as SVG, CSV and JSON, and every part's points, by path in the site."""
    for sweep in shown:
        for part in (*sweep.costs, *sweep.speeds):
            yield from _tables(f"{FOLDER}/{part.key}-points", part.title, part.records)
            for figure in (figure for block in part.blocks for figure in block.figures):
                stem = figure_stem(figure)
                yield f"{stem}.svg", standalone(figure)
                yield from _tables(stem, figure.title, figure.data)


def figure_stem(figure: Figure) -> str:
    """The path of a chart's files without their suffix."""
    return f"{FOLDER}/{figure.name}"


def standalone(figure: Figure) -> bytes:
    """A chart as a file of its own, in the light inks on the light paper."""
    inks = _light_inks()
    plain = re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: inks[found[1]], str(figure.svg))
    start, rest = plain.split(">", 1)
    paper = f'<rect width="100%" height="100%" fill="{inks["paper"]}"/>'
    title, description = rest.split("</desc>", 1)
    text = f'{start} font-family="sans-serif">{title}</desc>{paper}{description}\n'
    return text.encode("utf-8")


def _sweep(
    name: str, costs: Sequence[Group[Cost]], speeds: Sequence[Group[Speed]], runs: Sequence[Run]
) -> Sweep:
    key = paths.slug(name)
    everything: list[AnyGroup] = [*costs, *speeds]
    looks = Looks(label for group in everything for label in group.labels.values())
    return Sweep(
        name,
        key,
        tuple(_cost_part(group, looks, key) for group in costs),
        tuple(_speed_part(group, looks, runs, key) for group in speeds),
    )


def _cost_part(group: Group[Cost], looks: Looks, sweep: str) -> Part:
    key = f"{sweep}-{_slug(group)}"
    head, rows = split_rows(group)
    return Part(
        key=key,
        title=_title("Computed cost", group),
        made=_sentence(group),
        facts=tuple(facts(group)),
        blocks=tuple(cost_blocks(group, looks.of(group), key)),
        caption="Operations by phase, and the most that keys and values take.",
        head=head,
        rows=tuple(rows),
        records=tuple(cost_datum(label, point) for label, point in group.points),
    )


def _speed_part(group: Group[Speed], looks: Looks, runs: Sequence[Run], sweep: str) -> Part:
    key = f"{sweep}-{_slug(group)}"
    styles = looks.of(group)
    head, rows = point_rows(group)
    return Part(
        key=key,
        title=_title(f"Measured on {group.question.hardware}", group),
        made=_sentence(group),
        facts=(*facts(group), *conditions(group)),
        blocks=(
            *speed_blocks(group, styles, key),
            *quality_blocks(group, styles, runs, key),
        ),
        caption="Every point: what was timed, its memory, and the audits of the timing.",
        head=head,
        rows=tuple(rows),
        records=tuple(speed_datum(label, point) for label, point in group.points),
    )


def _title(what: str, group: AnyGroup) -> str:
    question = group.question
    natural = ", natural stop" if question.decode == "natural" else ""
    return f"{what}{natural}{f', {in_tiles(group.tiles)}' if group.tiles else ''}"


def _sentence(group: AnyGroup) -> str:
    return f"{made_of(group)[-1]}."


def _slug(group: AnyGroup) -> str:
    question = group.question
    told = (
        question.hardware or "computed",
        f"{question.width}x{question.height}",
        group.tiles and f"{group.tiles}tiles",
        f"{question.decode}{question.tokens}",
    )
    return "-".join(paths.slug(part) for part in told if part)


def _tables(
    stem: str, title: str, rows: Sequence[Mapping[str, Cell]]
) -> Iterator[tuple[str, bytes]]:
    columns = tuple(rows[0])
    yield f"{stem}.csv", csv_bytes(columns, (tuple(row.values()) for row in rows))
    yield f"{stem}.json", json_bytes({"title": title, "points": rows})


@cache
def _light_inks() -> dict[str, str]:
    """The first value that the style sheets give every ink."""
    folder = files("reports") / "templates"
    inks: dict[str, str] = {}
    for name in ("style.css", "efficiency.css"):
        sheet = (folder / name).read_text(encoding="utf-8")
        for ink, color in re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", sheet):
            inks.setdefault(ink, color)
    return inks
