"""Stored runs as the frames a report is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.interface import Status
from bench.certificates import versions_of
from bench.efficiency_frames import efficiency_frames
from bench.manifest import Manifest, ScoringRecord
from bench.ranking import UNRANKED, Contender, contender_of, ranks
from bench.run_digest import run_digest
from bench.store import StoredRun
from bench.stored_scores import StoredScores, current_scores
from suites.base import Counts

if TYPE_CHECKING:
    from reports.frames import Board, PageSource, RunReport, SuitePictures

TITLE = "regionbench"
_SHORT_REVISION = 7


def gather(
    runs: Sequence[StoredRun],
    efficiency: Path | None = None,
    title: str = TITLE,
    pictures: Callable[[Sequence[Manifest]], tuple[SuitePictures, ...]] | None = None,
) -> Board:
    """The board of stored runs and efficiency records beside the published numbers.

    ``pictures`` finds those of the suites that scored runs are of.

    A run whose answers were not scored as they stand is shown by its counts, as incomplete.

    Raises:
        StoreError: a manifest, an answer or a scoring cannot be read.
    """
    import pandas as pd

    from reports import published
    from reports.frames import RUN_COLUMNS, SCORE_COLUMNS, Board

    contenders: dict[str, Contender] = {}
    manifests: list[Manifest] = []
    rows: list[dict[str, object]] = []
    scores: list[dict[str, object]] = []
    pages: list[PageSource] = []
    scored: list[Manifest] = []
    for run in runs:
        manifest = run.manifest()
        manifests.append(manifest)
        found = current_scores(run, manifest)
        rows.append(_run_row(run, manifest, found))
        if found is not None:
            scores += _score_rows(run, found[1])
            pages.append(_page(run, manifest, found[1]))
            scored.append(manifest)
            if (contender := contender_of(manifest, *found)) is not None:
                contenders[run.name] = contender
    places = ranks(contenders)
    versions = _suite_versions(manifests)
    for run, manifest, row in zip(runs, manifests, rows, strict=True):
        row |= places.get(run.name, UNRANKED)._asdict()
        row["suite_version"] = versions[_suite(manifest)]
    swept = {} if efficiency is None else efficiency_frames(efficiency)._asdict()
    return Board(
        title=title,
        runs=pd.DataFrame(rows, columns=list(RUN_COLUMNS)),
        scores=pd.DataFrame(scores, columns=list(SCORE_COLUMNS)),
        published=published.load(),
        pages=tuple(pages),
        pictures=pictures(scored) if pictures else (),
        **swept,
    )


def _run_row(
    run: StoredRun, manifest: Manifest, found: tuple[ScoringRecord, StoredScores] | None
) -> dict[str, object]:
    suite, model, selection = manifest.suite, manifest.model, manifest.selection
    counts = found[1].counts if found else _unscored_counts(run, manifest)
    full = selection.images == suite.images
    images = f"{suite.images:,} images"
    return {
        "run": run.name,
        "suite": suite.name,
        "model": model.name,
        "adapter": model.adapter,
        "checkpoint": model.checkpoint,
        "checkpoint_digest": model.checkpoint_digest,
        "parameters": model.parameters,
        "base_model": model.base_model,
        "licence": model.licence,
        "dtype": model.dtype,
        "device": manifest.sessions[-1].device if manifest.sessions else None,
        "settings": ", ".join(f"{name}={value}" for name, value in sorted(model.settings.items())),
        "main_metric": suite.main_metric,
        "protocol": suite.protocol,
        "encoder": _encoder_name(found[0]) if found else "",
        "selection": f"all {images}" if full else f"first {selection.images:,} of {images}",
        "full": full,
        "complete": found is not None and counts.complete,
        "expected": counts.expected,
        "answered": counts.answered,
        "empty": counts.empty,
        "unanswerable": counts.unanswerable,
        "errored": counts.errored,
        "missing": counts.missing,
        "started": manifest.sessions[0].started if manifest.sessions else None,
        "seconds": manifest.seconds,
        **_certified(manifest),
    }


def _suite(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.suite.name, manifest.suite.version, manifest.suite.digest


def _suite_versions(manifests: Sequence[Manifest]) -> dict[tuple[str, str, str], str]:
    """The suites' versions, told apart where a suite was changed but not its version."""
    suites = {_suite(manifest) for manifest in manifests}
    named = Counter(suite[:2] for suite in suites)
    return {
        suite: suite[1] if named[suite[:2]] == 1 else f"{suite[1]} @{suite[2][:_SHORT_REVISION]}"
        for suite in suites
    }


def _certified(manifest: Manifest) -> dict[str, object]:
    """The last session's certificate, which stands for the sessions that ran its versions."""
    from reports.certified import Standing

    record = manifest.sessions[-1].certificate if manifest.sessions else None
    if record is None:
        standing = Standing.NONE
    elif not record.passed:
        standing = Standing.FAILED
    else:
        answering = (s for s in manifest.sessions if s.regions_asked or s is manifest.sessions[-1])
        same = all(versions_of(session.code) == record.versions for session in answering)
        standing = Standing.PASSED if same else Standing.OTHER_VERSIONS
    return {
        "certified": standing.value,
        "certified_stage": record and record.stage,
        "certified_difference": record and record.difference,
        "certified_tolerance": record and record.tolerance,
        "certified_on": record and record.certified,
    }


def _score_rows(run: StoredRun, stored: StoredScores) -> list[dict[str, object]]:
    return [
        {
            "run": run.name,
            "metric": score.metric,
            "protocol": score.protocol,
            "value": score.value,
            "low": score.low,
            "high": score.high,
            "count": score.count,
        }
        for score in stored.table
    ]


def _page(run: StoredRun, manifest: Manifest, stored: StoredScores) -> PageSource:
    from reports.frames import PageSource

    load = partial(_load, run, manifest, stored)
    return PageSource(run.name, run_digest(run, stored), load, manifest.suite.digest)


def _load(run: StoredRun, manifest: Manifest, stored: StoredScores) -> RunReport:
    """What the run's page shows; by itself, so that another process can be sent to do it."""
    from reports.frames import RunReport

    return RunReport(run.name, manifest.values(), stored.regions(), stored.categories())


def _encoder_name(record: ScoringRecord) -> str:
    name = record.encoder.rpartition("/")[2]
    revision = record.encoder_revision or record.encoder_digest
    return f"{name}@{revision[:_SHORT_REVISION]}"


def _unscored_counts(run: StoredRun, manifest: Manifest) -> Counts:
    ended = Counter(str(status) for status in run.answers(("region_id", "status"))["status"])
    expected = manifest.selection.regions
    return Counts(
        expected=expected,
        answered=ended[Status.ANSWERED],
        empty=ended[Status.EMPTY],
        unanswerable=ended[Status.UNANSWERABLE],
        errored=ended[Status.ERRORED],
        missing=max(0, expected - ended.total()),
    )
