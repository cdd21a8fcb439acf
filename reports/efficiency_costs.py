"""Computed cost on the efficiency page: operations against the number of regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.efficiency_blocks import (
    Block,
    Entry,
    Figure,
    identity,
    made_of,
    rows_of,
    significant,
)
from reports.efficiency_chart import (
    Line,
    Place,
    Reference,
    Style,
    curve_chart,
    scales,
    ticks_125,
    ticks_doubling,
)
from reports.efficiency_groups import ALONE, TOGETHER, Curve, Group
from reports.efficiency_records import Cost
from reports.export import Cell
from reports.svg import Caption

PAPERS_BOUND = 4
"""WOW-Seg, Fig. 7: from 1 to 32 regions the cost grows by less than this."""


def cost_blocks(
    group: Group[Cost], looks: Mapping[Curve, Style | None], key: str
) -> Iterator[Block]:
    """Cost relative to one region and in full, then split by phase."""
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
    head = ("Model", "Asked", "N", f"Vision, {unit}", "Prefill", "Decode", "Total", "KV cache, MiB")
    rows = [
        (
            label,
            point.way,
            str(point.instances),
            *(
                significant(flops / size)
                for flops in (
                    point.vision_flops,
                    point.prefill_flops,
                    point.decode_flops,
                    point.flops,
                )
            ),
            significant(point.kv_cache_bytes / 2**20),
        )
        for label, point in group.points
    ]
    return head, rows


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


def _figures(
    group: Group[Cost], looks: Mapping[Curve, Style | None], key: str, unit: str, size: float
) -> Iterator[Figure]:
    way = TOGETHER if group.of(TOGETHER) else ALONE
    drawn = [(curve, style) for curve in group.of(way) if (style := looks[curve])]
    left = len(group.of(way)) - len(drawn)
    remark = f"{left} more curves in the table." if left else ""
    full = [
        Line(
            group.labels[curve],
            style,
            [Place(n, p.flops / size) for n, p in sorted(group.curves[curve].items())],
        )
        for curve, style in drawn
    ]
    relative = [
        Line(
            line.label, line.style, [Place(n, v / line.places[0].value) for n, v, _ in line.places]
        )
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


def _points(group: Group[Cost], curve: Curve) -> list[Cost]:
    return [group.curves[curve][n] for n in sorted(group.curves[curve])]


def _datum(group: Group[Cost], curve: Curve, point: Cost) -> dict[str, Cell]:
    first = group.curves[curve].get(1)
    return {
        **identity(group.labels[curve], point),
        "vision_flops": point.vision_flops,
        "prefill_flops": point.prefill_flops,
        "decode_flops": point.decode_flops,
        "flops": point.flops,
        "relative": point.flops / first.flops if first else None,
        "kv_cache_bytes": point.kv_cache_bytes,
    }


def _cell(points: Mapping[int, Cost], n: int, unit: str, size: float) -> Entry:
    if n not in points:
        return Entry("–", absent=True)
    full = significant(points[n].flops / size)
    if 1 not in points:
        return Entry("–", (full,))
    return Entry(f"{points[n].flops / points[1].flops:.2f}×", (full,))


def flops_unit(group: Group[Cost]) -> tuple[str, float]:
    """Tera where the cheapest picture takes a tenth of that."""
    least = min(point.flops for _, point in group.points)
    return ("TFLOP", 1e12) if least >= 1e11 else ("GFLOP", 1e9)
