"""Computed cost on the efficiency page: operations against the number of regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.drawing import Caption
from reports.efficiency_axes import scales, ticks_125, ticks_doubling
from reports.efficiency_blocks import (
    Block,
    Entry,
    Figure,
    identity,
    made_of,
    rows_of,
    significant,
)
from reports.efficiency_chart import curve_chart
from reports.efficiency_groups import ALONE, TOGETHER, Curve, Group
from reports.efficiency_lines import Line, Place, Reference, Style
from reports.efficiency_records import Cost
from reports.export import Cell

PAPERS_BOUND = 4
"""WOW-Seg, Fig. 7: from 1 to 32 regions the cost grows by less than this."""


def cost_blocks(
    group: Group[Cost], looks: Mapping[Curve, Style | None], key: str
) -> Iterator[Block]:
    """Cost relative to one region and in full; none where nothing could be computed."""
    if not any(point.computed for _, point in group.points):
        return
    unit, size = flops_unit(group)
    cells = {
        curve: [_cell(points, n, unit, size) for n in group.instances]
        for curve, points in group.curves.items()
    }
    yield Block(
        key=f"{key}-cost",
        title="Cost against regions",
        note="Asked one region a query, every model is on the N× line by construction.",
        figures=tuple(_figures(group, looks, key, unit, size)),
        caption=f"Times the cost of one region, and {unit} below.",
        head=tuple(f"N = {n}" for n in group.instances),
        rows=rows_of(group, looks, cells),
    )


def split_rows(group: Group[Cost]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table that splits every cost by phase."""
    unit, size = flops_unit(group)
    head = (
        *("Model", "Asked", "N", f"Vision, {unit}", "Prefill", "Decode", "Total"),
        *("KV cache, MiB", "Outcome", "Remarks"),
    )
    return head, [_point_row(label, point, size) for label, point in group.points]


def cost_datum(label: str, point: Cost) -> dict[str, Cell]:
    """Every column of a point."""
    numbers = ("vision_flops", "prefill_flops", "decode_flops", "flops", "kv_cache_bytes")
    return {
        **identity(label, point),
        "outcome": point.outcome,
        "reason": point.reason,
        **{name: getattr(point, name) if point.computed else None for name in numbers},
    }


def relative_chart(lines: list[Line], caption: Caption, subtitle: list[str]) -> Figure:
    """Curves relative to their own value at one region, with both reference lines."""
    last = max(place.instances for line in lines for place in line.places)
    references = [
        Reference("N×, one by one", [Place(1, 1.0), Place(last, float(last))]),
        Reference(
            f"{PAPERS_BOUND}×, WOW-Seg's paper",
            [Place(1, float(PAPERS_BOUND)), Place(last, float(PAPERS_BOUND))],
        ),
    ]
    axes = scales(lines, references)
    ticks = ticks_doubling(axes.low, axes.high)
    svg = curve_chart(lines, references, axes, ticks, caption, subtitle=subtitle)
    return Figure(caption.identifier, caption.title, svg, "", ())


def told(lines: list[Line], unit: str = "") -> str:
    """The ends of the curves, for readers who do not see them."""
    ends = "; ".join(
        f"{line.label} {significant(line.places[-1].value)}{unit} at {line.places[-1].instances}"
        for line in lines
    )
    return f"{ends}. The table below has every number."


def _point_row(label: str, point: Cost, size: float) -> tuple[str, ...]:
    parts = (point.vision_flops, point.prefill_flops, point.decode_flops, point.flops)
    numbers = (*(flops / size for flops in parts), point.kv_cache_bytes / 2**20)
    return (
        label,
        point.way,
        str(point.instances),
        *(significant(number) if point.computed else "–" for number in numbers),
        point.outcome_words,
        point.reason,
    )


def _figures(
    group: Group[Cost], looks: Mapping[Curve, Style | None], key: str, unit: str, size: float
) -> Iterator[Figure]:
    way = TOGETHER if group.of(TOGETHER) else ALONE
    drawn = [(curve, style) for curve in group.of(way) if (style := looks[curve])]
    left = len(group.of(way)) - len(drawn)
    remark = f"{left} more curves in the table." if left else ""
    full = [
        line
        for curve, style in drawn
        if (line := _line(group.labels[curve], style, _points(group, curve), size))
    ]
    relative = [
        line._replace(places=[Place(n, v / line.places[0].value) for n, v, _ in line.places])
        for line in full
        if line.places[0].instances == 1
    ]
    data = [_datum(group, curve, point) for curve, _ in drawn for point in _points(group, curve)]
    asked = made_of(group)[-1]
    if relative:
        title = "Computed cost relative to one region"
        caption = Caption(f"{key}-cost-relative", title, told(relative, "×"))
        figure = relative_chart(relative, caption, ["all operations, counted", asked])
        yield figure._replace(remark=remark, data=data)
    if full:
        axes = scales(full)
        caption = Caption(f"{key}-cost-full", f"Computed cost, {unit}", told(full, f" {unit}"))
        ticks = ticks_125(axes.low, axes.high)
        counted = "of one picture with its regions; a multiply-add is two operations"
        svg = curve_chart(full, (), axes, ticks, caption, subtitle=[counted, asked])
        yield Figure(caption.identifier, caption.title, svg, remark, data)


def _line(label: str, style: Style, points: list[Cost], size: float) -> Line | None:
    places = [Place(point.instances, point.flops / size) for point in points if point.computed]
    lacking = [(point.instances, point.outcome_words) for point in points if not point.computed]
    return Line(label, style, places, lacking) if places else None


def _points(group: Group[Cost], curve: Curve) -> list[Cost]:
    return [group.curves[curve][n] for n in sorted(group.curves[curve])]


def _datum(group: Group[Cost], curve: Curve, point: Cost) -> dict[str, Cell]:
    first = group.curves[curve].get(1)
    known = first is not None and first.computed and point.computed
    relative = point.flops / first.flops if first and known else None
    return {**cost_datum(group.labels[curve], point), "relative": relative}


def _cell(points: Mapping[int, Cost], n: int, unit: str, size: float) -> Entry:
    if n not in points:
        return Entry("–", absent=True)
    if not points[n].computed:
        return Entry(points[n].outcome_words, absent=True)
    full = significant(points[n].flops / size)
    if 1 not in points or not points[1].computed:
        return Entry("–", (full,))
    return Entry(f"{points[n].flops / points[1].flops:.2f}×", (full,))


def flops_unit(group: Group[Cost]) -> tuple[str, float]:
    """Tera where the cheapest picture takes a tenth of that."""
    least = min((point.flops for _, point in group.points if point.computed), default=1e12)
    return ("TFLOP", 1e12) if least >= 1e11 else ("GFLOP", 1e9)
