"""Measured speed on the efficiency page: throughput and latency on one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from markupsafe import Markup

from reports.drawing import Caption
from reports.efficiency_axes import Scales, scales, ticks_125
from reports.efficiency_blocks import (
    WAYS,
    Block,
    Entry,
    Figure,
    identity,
    made_of,
    quick_ones,
    rows_of,
    significant,
)
from reports.efficiency_chart import curve_chart
from reports.efficiency_costs import relative_chart, told
from reports.efficiency_groups import ALONE, TOGETHER, Curve, Group
from reports.efficiency_lines import Line, Place, Style
from reports.efficiency_records import DOUBT, Speed
from reports.export import Cell

_MILLISECONDS_BELOW = 0.1


class _Kind(NamedTuple):
    """One quantity's charts and table."""

    name: str
    title: str
    how: str
    place: Callable[[Speed], Place]
    entry: Callable[[Speed], Entry]
    caption: str


def speed_blocks(
    group: Group[Speed], looks: Mapping[Curve, Style | None], key: str
) -> Iterator[Block]:
    """Throughput, latency, and time relative to one region; none where nothing was measured."""
    if not any(point.measured for _, point in group.points):
        return
    unit, size = _time_unit(group)
    throughput = _Kind(
        "throughput",
        "Regions per second",
        "more is better",
        lambda p: Place(p.instances, p.regions_per_second or p.instances / (p.seconds_p50 or 1)),
        lambda p: Entry(
            significant(p.regions_per_second or p.instances / (p.seconds_p50 or 1)),
            (f"{significant(p.images_per_second)} images/s",) if p.images_per_second else (),
        ),
        "Regions per second, and pictures per second below.",
    )
    latency = _Kind(
        "latency",
        f"Time per picture, {unit}",
        "median, whisker to p90; less is better",
        lambda p: Place(
            p.instances, (p.seconds_p50 or 0) / size, p.seconds_p90 and p.seconds_p90 / size
        ),
        lambda p: _latency(p, size),
        f"Median end-to-end time of a picture with its regions in {unit}, its 95 % interval, "
        "and the 90th and 99th percentiles.",
    )
    for kind in (throughput, latency):
        yield Block(
            key=f"{key}-{kind.name}",
            title=kind.title,
            note="",
            figures=tuple(_pair(group, looks, key, kind)),
            caption=_with_doubt(kind.caption, group),
            head=tuple(f"N = {n}" for n in group.instances),
            rows=rows_of(group, looks, _cells(group, kind.entry)),
        )
    yield Block(
        key=f"{key}-relative",
        title="Time relative to one region",
        note="",
        figures=tuple(_relative(group, looks, key)),
        caption=_with_doubt("Times the median time of a picture with one region.", group),
        head=tuple(f"N = {n}" for n in group.instances),
        rows=rows_of(group, looks, _ratios(group)),
    )


def point_rows(group: Group[Speed]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the table of every measured point."""
    head = (
        "Model",
        "Asked",
        "N",
        "Outcome",
        "Queries",
        "Device time, ms",
        "First query, s",
        "Load, s",
        "Tokens a region",
        "Allocated, MiB",
        "Reserved, MiB",
        "Process, MiB",
        "Energy, J",
        "Same answers",
        "Same again",
        "Time again",
        "Load average",
        "Remarks",
    )
    return head, [_point_row(label, point) for label, point in group.points]


def conditions(group: Group[Speed]) -> list[str]:
    """Per model: how much was measured, on which device, and in turns with which others, once."""
    told = dict.fromkeys(
        f"{curve.subject.model}: {point.effort} measurement on {point.device}, "
        + (f"in turns with {point.interleaved}" if point.interleaved else "alone in memory")
        for curve, points in group.curves.items()
        for point in points.values()
        if point.measured
    )
    return list(told)


def speed_datum(label: str, point: Speed) -> dict[str, Cell]:
    """Every column of a point."""
    own = {
        name: getattr(point, name)
        for name in Speed.__slots__
        if name not in ("subject", "question", "way", "instances")
    }
    return {**identity(label, point), **own}


def _point_row(label: str, p: Speed) -> tuple[str, ...]:
    remarks = [p.reason, p.warnings, p.foreign_processes and f"beside {p.foreign_processes}"]
    if p.measured and p.stable is False:
        remarks.append("the warm-up did not settle")
    return (
        label,
        p.way,
        str(p.instances),
        p.outcome_words + (" (quick)" if p.effort == "quick" else ""),
        "" if p.queries is None else str(p.queries),
        _number(p.device_seconds_p50, 1e-3),
        _number(p.first_query_seconds),
        _number(p.load_seconds),
        _number(p.tokens_per_region),
        _number(p.peak_allocated_bytes, 2**20),
        _number(p.peak_reserved_bytes, 2**20),
        _number(p.process_rss_bytes, 2**20),
        _number(p.energy_joules),
        _yes(p.outputs_equal),
        _yes(p.repeatable),
        f"{p.repeat_ratio:.2f}×" if p.repeat_ratio else "–",
        _number(p.load_average),
        "; ".join(remark for remark in remarks if remark),
    )


def _number(value: float | None, unit: float = 1.0) -> str:
    return "–" if value is None else significant(value / unit)


def _yes(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"


def _latency(p: Speed, size: float) -> Entry:
    small = []
    if p.seconds_low is not None and p.seconds_high is not None:
        small.append(f"[{significant(p.seconds_low / size)}, {significant(p.seconds_high / size)}]")
    for name, seconds in (("p90", p.seconds_p90), ("p99", p.seconds_p99)):
        if seconds is not None:
            small.append(f"{name} {significant(seconds / size)}")
    return Entry(significant((p.seconds_p50 or 0) / size), tuple(small))


def _cells(group: Group[Speed], entry: Callable[[Speed], Entry]) -> dict[Curve, list[Entry]]:
    return {
        curve: [_or_why(points.get(n), entry) for n in group.instances]
        for curve, points in group.curves.items()
    }


def _or_why(point: Speed | None, entry: Callable[[Speed], Entry]) -> Entry:
    if point is None:
        return Entry("–", absent=True)
    if not point.measured:
        return Entry(point.outcome_words, absent=True)
    found = entry(point)
    return found._replace(lead=found.lead + point.mark)


def _with_doubt(caption: str, group: Group[Speed]) -> str:
    if not any(point.doubtful for _, point in group.points):
        return caption
    return f"{caption} {DOUBT} An audit of the point failed: see “All points”."


def _ratios(group: Group[Speed]) -> dict[Curve, list[Entry]]:
    cells = {}
    for curve, points in group.curves.items():
        first = points.get(1)
        base = first.seconds_p50 if first and first.measured else None

        # What is relative to a doubtful time is as doubtful.
        mark = first.mark if first else ""

        def ratio(point: Speed, base: float | None = base, mark: str = mark) -> Entry:
            if base is None:
                return Entry("–", absent=True)
            relative = f"{(point.seconds_p50 or 0) / base:.2f}×"
            return Entry(relative if point.doubtful else relative + mark)

        cells[curve] = [_or_why(points.get(n), ratio) for n in group.instances]
    return cells


def _pair(
    group: Group[Speed], looks: Mapping[Curve, Style | None], key: str, kind: _Kind
) -> Iterator[Figure]:
    """Both ways of asking side by side, on one pair of axes."""
    by_way = {way: _lines(group, looks, way, kind.place) for way in WAYS}
    everything = [line for lines in by_way.values() for line in lines]
    axes = scales(everything)
    for way, lines in by_way.items():
        if lines:
            title = f"{kind.title}, {WAYS[way]}"
            caption = Caption(f"{key}-{kind.name}-{way}", title, told(lines))
            svg = _drawn(lines, axes, caption, [kind.how, *made_of(group)])
            yield Figure(
                caption.identifier, title, svg, _left(group, looks, way), _data(group, way)
            )


def _drawn(lines: list[Line], axes: Scales, caption: Caption, subtitle: list[str]) -> Markup:
    ticks = ticks_125(axes.low, axes.high)
    return curve_chart(lines, (), axes, ticks, caption, subtitle=subtitle)


def _relative(
    group: Group[Speed], looks: Mapping[Curve, Style | None], key: str
) -> Iterator[Figure]:
    way = TOGETHER if group.of(TOGETHER) else ALONE
    lines = [
        line._replace(places=[Place(n, v / line.places[0].value) for n, v, _ in line.places])
        for line in _lines(group, looks, way, lambda p: Place(p.instances, p.seconds_p50 or 0.0))
        if line.places[0].instances == 1
    ]
    if lines:
        title = f"Time relative to one region, {WAYS[way]}"
        caption = Caption(f"{key}-relative-{way}", title, told(lines, "×"))
        figure = relative_chart(lines, caption, ["median end-to-end time", *made_of(group)])
        remark = _left(group, looks, way, relative=True)
        yield figure._replace(remark=remark, data=_data(group, way))


def _lines(
    group: Group[Speed],
    looks: Mapping[Curve, Style | None],
    way: str,
    place: Callable[[Speed], Place],
) -> list[Line]:
    lines = []
    for curve in group.of(way):
        points = group.curves[curve]
        style = looks[curve]
        places = [place(points[n]) for n in sorted(points) if points[n].measured]
        if style and places:
            lacking = [(n, points[n].outcome_words) for n in sorted(points)]
            lacking = [(n, why) for n, why in lacking if not points[n].measured]
            lines.append(Line(group.labels[curve], style, places, lacking))
    return lines


def _left(
    group: Group[Speed],
    looks: Mapping[Curve, Style | None],
    way: str,
    *,
    relative: bool = False,
) -> str:
    """Curves that could not be drawn, points whose audits failed, and quick measurements."""
    remarks, doubtful, drawn = [], [], []
    for curve in group.of(way):
        points = group.curves[curve]
        if looks[curve] is None:
            remarks.append(f"{group.labels[curve]}: in the table only")
        elif not any(point.measured for point in points.values()):
            remarks.append(f"{group.labels[curve]}: {points[min(points)].outcome_words}")
        elif relative and not (1 in points and points[1].measured):
            remarks.append(f"{group.labels[curve]}: no value at N = 1")
            continue
        else:
            drawn += [(group.labels[curve], points[n]) for n in sorted(points)]
        if found := [str(n) for n in sorted(points) if points[n].doubtful]:
            doubtful.append(f"{group.labels[curve]} at N = {', '.join(found)}")
    told = {"Not drawn": remarks, f"{DOUBT} An audit failed": doubtful}
    lists = [f"{what}: {'; '.join(which)}." for what, which in told.items() if which]
    return " ".join(filter(None, (*lists, quick_ones(drawn))))


def _data(group: Group[Speed], way: str) -> list[dict[str, Cell]]:
    rows = []
    for curve in group.of(way):
        points = group.curves[curve]
        first = points.get(1)
        for n in sorted(points):
            point = points[n]
            ratio = None
            if point.measured and first and first.measured:
                ratio = (point.seconds_p50 or 0.0) / (first.seconds_p50 or 1.0)
            rows.append({**speed_datum(group.labels[curve], point), "relative_time": ratio})
    return rows


def _time_unit(group: Group[Speed]) -> tuple[str, float]:
    least = min(p.seconds_p50 for _, p in group.points if p.measured and p.seconds_p50)
    return ("ms", 1e-3) if least < _MILLISECONDS_BELOW else ("s", 1.0)
