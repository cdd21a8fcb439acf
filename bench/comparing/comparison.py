"""Two scored runs as one comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.comparing.category_rows import OwnValues, category_rows
from bench.comparing.common import CommonRegions
from bench.comparing.errors import NotComparable
from bench.comparing.metric_rows import covers_the_same, metric_rows
from bench.comparing.pairing import Scored
from bench.comparing.region_rows import won_and_lost
from bench.comparing.speeds import speed_rows
from bench.directions import higher_is_better
from bench.run_digest import run_digest
from reports.compare_records import Comparison, Side

_SHORT = 12  # of a digest's digits


def compare(first: Scored, second: Scored, *, efficiency: Path) -> Comparison:
    """Everything in which the second run differs from the first.

    Regions, and with them categories, are compared by the main metric where regions have it, else
    by the first score that they do have.

    Args:
        first: the run that is subtracted.
        second: the run it is subtracted from.
        efficiency: folder of efficiency records.

    Raises:
        NotComparable: the scores are of different suites, versions, protocols or encoders.
        StoreError: a frame or a record cannot be read.
    """
    if reason := first.table.unlike(second.table):
        raise NotComparable(f"{first.run.name} and {second.run.name} have {reason}")
    common = CommonRegions.of(first.stored, second.stored)
    metric = _region_metric(first, common)
    own = OwnValues(first.stored, second.stored, common, same=covers_the_same(first, second))
    speeds, speed_note = speed_rows(efficiency, first.manifest.model, second.manifest.model)
    regions, categories = None, []
    if metric is not None:
        better_up = higher_is_better(first.manifest.suite.kind, metric)
        protocol = first.stored.protocol
        regions = won_and_lost(common, metric, protocol, better_up=better_up)
        categories = category_rows(common, f"{metric}/{protocol}", own)
    return Comparison(
        suite=first.table.suite,
        suite_version=first.table.suite_version,
        protocol=first.stored.protocol,
        main_metric=first.stored.main_metric,
        encoder=first.record.encoder,
        first=_side(first),
        second=_side(second),
        complete=first.complete and second.complete,
        metrics=tuple(metric_rows(first, second, common)),
        regions=regions,
        categories=tuple(categories),
        own_metrics=own.metrics,
        speeds=tuple(speeds),
        speed_note=speed_note,
        notes=tuple(_notes(first, second, common)),
    )


def _region_metric(first: Scored, common: CommonRegions) -> str | None:
    protocol = first.stored.protocol
    names = (first.stored.main_metric, *(name.split("/")[0] for name in common.columns))
    return next((name for name in names if common.column(name, protocol)), None)


def _notes(first: Scored, second: Scored, common: CommonRegions) -> Iterator[str]:
    """What sets the runs apart besides their answers, and what they lack."""
    for side in (first, second):
        counts = side.stored.counts
        if not counts.complete:
            yield (
                f"{side.run.name} is incomplete: {counts.errored:,} regions errored, "
                f"{counts.missing:,} missing of {counts.expected:,}; "
                f"`{side.manifest.command}` goes on with it"
            )
    if not covers_the_same(first, second):
        covered = " and ".join(f"{s.manifest.selection.images:,}" for s in (first, second))
        yield (
            f"the runs cover {covered} of {first.manifest.suite.images:,} images: scores that are "
            f"means over regions are compared over regions with a final answer in both, of which "
            f"there are at most {len(common.frame):,} of {common.total:,}"
        )
    for side in (first, second):
        if not side.stored.samples:
            yield (
                f"{side.run.name} was scored before resamples were kept; "
                f"`bench score {side.run.name}` keeps them"
            )
    resamples = [
        {len(d.draws) for d in side.table.scores.values() if d.draws is not None}
        for side in (first, second)
    ]
    if resamples[0] and resamples[1] and resamples[0] != resamples[1]:
        yield (
            f"scored with {max(resamples[0]):,} and {max(resamples[1]):,} resamples, which do not "
            "pair; `bench score` both with the same --resamples"
        )
    for what, one, other in (
        ("mask sources", first.manifest.mask_source, second.manifest.mask_source),
        ("answer lengths", first.manifest.max_new_tokens, second.manifest.max_new_tokens),
        ("prompts", first.manifest.model.prompt, second.manifest.model.prompt),
    ):
        if one != other:
            yield f"different {what}: {one!r} and {other!r}"


def _side(scored: Scored) -> Side:
    manifest, model = scored.manifest, scored.manifest.model
    counts, last = scored.stored.counts, manifest.sessions[-1] if manifest.sessions else None
    settings = ", ".join(f"{name}={value}" for name, value in sorted(model.settings.items()))
    facts = {
        "Run": scored.run.name,
        "Adapter": f"{model.adapter}, revision {model.revision}",
        "Checkpoint": model.checkpoint,
        "Checkpoint digest": model.checkpoint_digest[:_SHORT],
        "Settings": settings,
        "Precision": model.dtype,
        "Prompt": model.prompt,
        "Mask source": manifest.mask_source,
        "Images": f"{manifest.selection.images:,} of {manifest.suite.images:,}",
        "Regions": f"{counts.expected:,}",
        "Answered": f"{counts.answered:,}",
        "Empty": f"{counts.empty:,}",
        "Unanswerable": f"{counts.unanswerable:,}",
        "Errored or missing": f"{counts.errored + counts.missing:,}",
        "Suite digest": manifest.suite.digest[:_SHORT],
        "Encoder": f"{scored.record.encoder} {scored.record.encoder_digest[:_SHORT]}",
        "Scored": scored.record.scored,
        "Device": last.device if last else "",
        "Hardware": (last.hardware.accelerator or last.hardware.cpu) if last else "",
        "regionbench": _code(scored),
    }
    digest = run_digest(scored.run, scored.stored)
    return Side(scored.run.name, model.name, manifest.command, tuple(facts.items()), digest)


def _code(scored: Scored) -> str:
    if not scored.manifest.sessions:
        return ""
    code = scored.manifest.sessions[-1].code
    commit = f", commit {code.commit[:_SHORT]}" if code.commit else ""
    return f"{code.version}{commit}{' with changes' if code.dirty else ''}"
