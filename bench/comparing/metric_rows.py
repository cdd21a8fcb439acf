"""Every score of two runs and its difference, from the best that both runs have kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench.comparing.common import CommonRegions
from bench.comparing.pairing import Scored
from bench.directions import higher_is_better
from bench.score_tables import Drawn, paired
from reports.compare_records import Basis, MetricRow

_MACRO = "[macro]"


def metric_rows(first: Scored, second: Scored, common: CommonRegions) -> Iterator[MetricRow]:
    """One row per score of either run, in the order of the first's table.

    Scores of the same regions are compared by their common resamples. Where the runs cover other
    regions, or a run has kept no resamples, a score that is a mean over regions is compared over
    the regions that both runs have it for; of any other it is said why it is not compared.
    """
    same = covers_the_same(first, second)
    for key in dict.fromkeys([*first.table.scores, *second.table.scores]):
        one, other = first.table.scores.get(key), second.table.scores.get(key)
        row = _blank(first, key, one, other)
        if one is None or other is None:
            yield replace(row, note=f"{'A' if one is None else 'B'} has no such score")
        else:
            yield _compared(row, one, other, common, same=same)


def covers_the_same(first: Scored, second: Scored) -> bool:
    """Whether both runs have a final answer for the same regions."""
    return first.complete and second.complete and first.stored.images == second.stored.images


def _blank(
    first: Scored, key: tuple[str, str], one: Drawn | None, other: Drawn | None
) -> MetricRow:
    metric, protocol = key
    return MetricRow(
        metric,
        protocol,
        first=one.score.value if one else None,
        second=other.score.value if other else None,
        difference=None,
        low=None,
        high=None,
        p=None,
        basis=Basis.NONE,
        higher_is_better=higher_is_better(first.manifest.suite.kind, metric),
    )


def _compared(
    row: MetricRow, one: Drawn, other: Drawn, common: CommonRegions, *, same: bool
) -> MetricRow:
    if same:
        found = paired(one, other)
        if found.low is not None:
            return replace(
                row,
                difference=found.difference,
                low=found.low,
                high=found.high,
                p=found.p,
                basis=Basis.RESAMPLES,
            )
    over = _over_regions(row, common)
    if over is not None:
        return replace(over, regions=None) if same and over.regions == common.total else over
    if not same:
        return replace(row, note=_why_not_compared(row, common))
    if row.first is None or row.second is None:
        return replace(row, note="nothing to average")
    return replace(
        row,
        difference=row.second - row.first,
        basis=Basis.SCORES,
        note=_why_no_interval(one, other),
    )


def _over_regions(row: MetricRow, common: CommonRegions) -> MetricRow | None:
    """The mean over common regions, or over their categories; ``None`` for any other score."""
    from metrics.bootstrap import paired_difference

    macro = row.metric.endswith(_MACRO)
    column = common.column(row.metric.removesuffix(_MACRO), row.protocol)
    if column is None:
        return None
    counted = common.frame[common.scored(column)]
    if counted.empty:
        return replace(
            row, first=None, second=None, regions=0, note="no region has it in both runs"
        )
    one, other = common.scores(column)
    groups = common.frame["category"].to_numpy() if macro else None
    found = paired_difference(other, one, common.frame["image_id"].to_numpy(), groups)
    means = [
        counted.groupby("category")[name].mean().mean() if macro else counted[name].mean()
        for name in common.names(column)
    ]
    return replace(
        row,
        first=float(means[0]),
        second=float(means[1]),
        difference=found.value,
        low=found.low,
        high=found.high,
        p=found.p,
        basis=Basis.REGIONS,
        regions=found.rows,
        note="" if found.low is not None else "one image has no interval",
    )


def _why_not_compared(row: MetricRow, common: CommonRegions) -> str:
    metric, _, group = row.metric.partition("[")
    if group and common.column(metric, row.protocol) is not None:
        what = f"a mean over {group.removesuffix(']')} categories alone"
        return f"{what}, and the runs cover different regions"
    return "not a mean over regions, and the runs cover different ones"


def _why_no_interval(one: Drawn, other: Drawn) -> str:
    if one.draws is None or other.draws is None:
        return "no interval: no resamples"
    if len(one.draws) != len(other.draws):
        return "no interval: other numbers of resamples"
    if one.sample != other.sample:
        return "no interval: resamples of different images, or drawn otherwise (`bench score` both)"
    return "no interval: too few images"
