"""Quality against speed: a board's main scores beside the same models' regions per second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports import formatting, paths
from reports.drawing import PAPER, Caption
from reports.efficiency_axes import HEIGHT, WIDTH, ticks_125
from reports.efficiency_blocks import (
    Block,
    Entry,
    Figure,
    Row,
    described,
    identity,
    made_of,
    quick_ones,
    series_of,
    significant,
)
from reports.efficiency_chart import chart_title, padding
from reports.efficiency_groups import TOGETHER, Curve, Group
from reports.efficiency_lines import Style
from reports.efficiency_names import LABELS_AT, short, spread
from reports.efficiency_records import Speed, Subject
from reports.families import suite_title
from reports.records import Run, Score
from reports.svg import Rows, inline_svg, specification


class _Column(NamedTuple):
    """What two scores must share to stand on one axis."""

    suite: str
    suite_version: str
    protocol: str
    encoder: str
    metric: str


class _Match(NamedTuple):
    """A curve whose model has a score."""

    curve: Curve
    style: Style
    speed: Speed
    score: Score


def quality_blocks(
    group: Group[Speed], looks: Mapping[Curve, Style | None], runs: Sequence[Run], key: str
) -> Iterator[Block]:
    """A chart per suite that scored the measured models, asked about as many regions each."""
    for column, scores in sorted(_columns(runs).items()):
        matches = list(_matches(group, looks, scores))
        if matches:
            yield _block(group, column, matches, key)


def _columns(runs: Sequence[Run]) -> dict[_Column, list[tuple[Run, Score]]]:
    """Main scores of complete runs over whole suites."""
    found: dict[_Column, list[tuple[Run, Score]]] = {}
    for run in runs:
        if run.full and (score := run.main):
            column = _Column(
                run.suite, run.suite_version, run.protocol, run.encoder, run.main_metric
            )
            found.setdefault(column, []).append((run, score))
    return found


def _matches(
    group: Group[Speed], looks: Mapping[Curve, Style | None], scores: Sequence[tuple[Run, Score]]
) -> Iterator[_Match]:
    """Curves of scored models, at the most regions at which all of them have a speed."""
    found = []
    for curve in group.of(TOGETHER):
        style = looks[curve]
        score = next((score for run, score in scores if _same(run, curve.subject)), None)
        if style and score:
            speeds = {n: p for n, p in group.curves[curve].items() if p.measured}
            found.append((curve, style, speeds, score))
    found = [match for match in found if match[2]]
    common = set.intersection(*(set(speeds) for _, _, speeds, _ in found)) if found else set()
    if common:
        for curve, style, speeds, score in found:
            yield _Match(curve, style, speeds[max(common)], score)


def _same(run: Run, subject: Subject) -> bool:
    """Whether the run's answers come from what was timed; random weights answer nothing."""
    return not subject.random_weights and (
        run.adapter,
        run.checkpoint_digest,
        run.settings,
    ) == (subject.adapter, subject.checkpoint_digest, subject.settings)


def _block(group: Group[Speed], column: _Column, matches: Sequence[_Match], key: str) -> Block:
    metric = formatting.words(column.metric)
    instances = matches[0].speed.instances
    name = f"{key}-quality-{paths.slug('-'.join(column))}"
    title = f"{metric} on {suite_title(column.suite)} against speed"
    told = "; ".join(
        f"{group.labels[match.curve]} {formatting.points(match.score.value or 0.0)} points, "
        f"{significant(_speed(match))} regions/s"
        for match in matches
    )
    caption = Caption(name, title, f"{told}.")
    how = f"points with 95 % intervals; set {column.suite_version}, {column.protocol}"
    below = [f"N = {instances}; {how}", made_of(group)[0]]
    figure = Figure(
        name,
        title,
        _chart(group, matches, caption, below),
        quick_ones((group.labels[match.curve], match.speed) for match in matches),
        [
            {
                **identity(group.labels[match.curve], match.speed),
                "regions_per_second": _speed(match),
                **column._asdict(),
                "value": match.score.value,
                "low": match.score.low,
                "high": match.score.high,
            }
            for match in matches
        ],
    )
    return Block(
        key=name,
        title=title,
        note="",
        figures=(figure,),
        caption=f"Asked about {instances} regions in one query. The score is the board's.",
        head=("Regions per second", metric),
        rows=tuple(_row(group, match) for match in matches),
    )


def _row(group: Group[Speed], match: _Match) -> Row:
    score = match.score
    interval = (
        (formatting.interval(score.low, score.high),)
        if score.low is not None and score.high is not None
        else ()
    )
    return Row(
        group.labels[match.curve],
        "; ".join(described(match.curve)),
        series_of(match.style),
        (
            Entry(significant(_speed(match))),
            Entry(formatting.points(score.value or 0.0), interval),
        ),
    )


def _speed(match: _Match) -> float:
    return match.speed.regions_per_second or 0.0


class _Axes(NamedTuple):
    """Speed is drawn logarithmic, the score is not."""

    slowest: float
    fastest: float
    low: float
    high: float

    def speed_at(self, x: float) -> float:
        """The speed that many pixels from the left."""
        return float(self.slowest * (self.fastest / self.slowest) ** (x / WIDTH))

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return HEIGHT * (self.high - value) / (self.high - self.low)

    def value_at(self, y: float) -> float:
        """The score that many pixels from the top."""
        return self.high - y / HEIGHT * (self.high - self.low)


def _axes(matches: Sequence[_Match]) -> _Axes:
    ends = [
        end * 100
        for score in (match.score for match in matches)
        for end in (score.low, score.value or 0.0, score.high)
        if end is not None
    ]
    low, high = min(ends), max(ends)
    room = max(high - low, 1.0) * 0.12
    speeds = [_speed(match) for match in matches]
    return _Axes(
        min(speeds) / 1.4, max(speeds) * 1.4, low - room, min(high + room, max(100.0, high))
    )


def _chart(
    group: Group[Speed], matches: Sequence[_Match], caption: Caption, subtitle: Sequence[str]
) -> Markup:
    import altair as alt

    axes = _axes(matches)
    rows = _rows(group, matches, axes)
    x = alt.X(
        "speed:Q",
        title="regions per second",
        scale=alt.Scale(type="log", domain=[axes.slowest, axes.fastest], nice=False),
        axis=alt.Axis(
            values=ticks_125(axes.slowest, axes.fastest), format=",~g", labelOverlap=False
        ),
    )
    scale = alt.Scale(domain=[axes.low, axes.high], nice=False, zero=False)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=6))
    ink, filled = alt.Color("ink:N", scale=None), alt.Fill("ink:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    base = alt.Chart(alt.NamedData("models"))
    point = base.mark_point(filled=True, size=80, opacity=1, stroke=PAPER, strokeWidth=1.1)
    chart = alt.layer(
        base.mark_rule(strokeWidth=0.8, opacity=0.65).encode(
            x=x, y=y, x2="leader:Q", y2="beside:Q", color=ink
        ),
        base.mark_rule(strokeWidth=1.2).encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=ink
        ),
        point.encode(x=x, y=y, fill=filled, shape=shape),
        point.encode(x="key:Q", y="beside:Q", fill=filled, shape=shape),
        base.mark_text(align="left", baseline="middle", fontSize=11.5, limit=0).encode(
            x="name:Q", y="beside:Q", text="label:N", color=ink
        ),
    ).properties(
        width=WIDTH,
        height=HEIGHT,
        title=chart_title(caption.title, subtitle),
        padding=padding([str(row["label"]) for row in rows]),
    )
    return inline_svg(specification(chart), {"models": rows}, caption)


def _rows(group: Group[Speed], matches: Sequence[_Match], axes: _Axes) -> Rows:
    """The points, and their names at the right, moved apart, each behind its point's mark."""
    values = [(match.score.value or 0.0) * 100 for match in matches]
    moved = spread([axes.y(value) for value in values])
    return [
        {
            "speed": _speed(match),
            "value": value,
            "low": value if match.score.low is None else match.score.low * 100,
            "high": value if match.score.high is None else match.score.high * 100,
            "label": short(group.labels[match.curve]),
            "ink": match.style.ink,
            "shape": match.style.shape,
            "beside": axes.value_at(at),
            "leader": axes.speed_at(LABELS_AT - 20),
            "key": axes.speed_at(LABELS_AT - 10),
            "name": axes.speed_at(LABELS_AT),
        }
        for match, value, at in zip(matches, values, moved, strict=True)
    ]
