"""Scoring stored answers: needs the suite's index and a sentence encoder, no model, no pictures."""

from __future__ import annotations

import io
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.atomic import write_bytes, write_json
from bench.encoder import ScoringEncoder
from bench.errors import StoreError
from bench.manifest import Manifest, ScoringRecord
from bench.provenance import now
from bench.records import table_bytes
from bench.store import RunWriter, StoredRun
from bench.stored_scores import CATEGORIES, DRAWS, REGIONS, SCHEMA_VERSION, SUMMARY
from suites.base import Scores, Selection, Suite, SuiteError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


SEED = 0
_KEY_DIGITS = 12


def scoring_key(protocol: str, encoder_digest: str) -> str:
    """Name of a scoring's folder."""
    return f"{protocol}-{encoder_digest[:_KEY_DIGITS]}"


def score(
    writer: RunWriter,
    suite: Suite,
    encoder: ScoringEncoder,
    selection: Selection,
    *,
    resamples: int,
    kept: bool = True,
) -> tuple[Scores, Manifest]:
    """Score what is stored of a run, and keep the scores with it unless ``kept`` is false.

    Raises:
        StoreError: the answers belong to another version of the suite.
        SuiteError: the suite's scores have another main metric or protocol than its card.
    """
    started = time.monotonic()
    scores = compute(writer.run, suite, encoder, selection, resamples)
    if not kept:
        return scores, writer.run.manifest()
    images = selection.count(len(suite))
    return scores, keep(
        writer, scores, encoder, images=images, resamples=resamples, started=started
    )


def compute(
    run: StoredRun, suite: Suite, encoder: ScoringEncoder, selection: Selection, resamples: int
) -> Scores:
    """Score what is stored of a run against the suite.

    Raises:
        StoreError: the answers belong to another version of the suite.
        SuiteError: the suite's scores have another main metric or protocol than its card.
    """
    recorded = run.manifest().suite
    if recorded.digest != suite.digest:
        raise StoreError(
            f"run {run.name} answered {recorded.name} {recorded.version} with digest "
            f"{recorded.digest[:12]}, the suite here is {suite.card.version} with "
            f"{suite.digest[:12]}; score it with the annotations it was made with"
        )
    answers = run.answers(("region_id", "text", "status"))
    selected = answers["region_id"].isin(suite.references(selection)["region_id"])
    scores = suite.score(
        answers[selected], encoder, selection=selection, resamples=resamples, seed=SEED
    )
    _refuse_another_column(run, suite, scores)
    return scores


def keep(
    writer: RunWriter,
    scores: Scores,
    encoder: ScoringEncoder,
    *,
    images: int,
    resamples: int,
    started: float,
) -> Manifest:
    """Store scores with their run and note the scoring in its manifest.

    The files depend on the answers, the suite and the encoder's content only: byte-stable.
    ``images`` is how much of the index was scored; ``started`` is ``time.monotonic()`` from
    when scoring began.
    """
    key = scoring_key(scores.protocol, scores.encoder_digest)
    folder = writer.run.scores_folder / key
    folder.mkdir(parents=True, exist_ok=True)
    # The summary is the sign of a whole scoring: away first, back last.
    (folder / SUMMARY).unlink(missing_ok=True)
    write_bytes(folder / REGIONS, _frame_bytes(scores.regions))
    write_bytes(folder / CATEGORIES, _frame_bytes(scores.categories))
    if scores.draws is not None:
        write_bytes(folder / DRAWS, _array_bytes(scores.draws.values))
    write_json(folder / SUMMARY, _summary(writer.run, scores, encoder, images, resamples))
    manifest = writer.run.manifest()
    record = ScoringRecord(
        encoder=encoder.name,
        encoder_revision=encoder.revision,
        encoder_source=encoder.source,
        encoder_digest=encoder.digest,
        parts=len(writer.run.parts()),
        scored=now(),
        seconds=round(time.monotonic() - started, 3),
    )
    # A card that was mended since the answers were stored is the one that counts.
    suite = manifest.suite.model_copy(
        update={"main_metric": scores.main_metric, "protocol": scores.protocol}
    )
    manifest = manifest.model_copy(
        update={
            "suite": suite,
            "counts": asdict(scores.counts),
            "scorings": {**manifest.scorings, key: record},
        }
    )
    writer.write_manifest(manifest)
    return manifest


def _refuse_another_column(run: StoredRun, suite: Suite, scores: Scores) -> None:
    """The board's column is the card's: ranks, gate and comparison must not be of another."""
    card = suite.card
    if (card.main_metric, card.protocol) != (scores.main_metric, scores.protocol):
        raise SuiteError(
            f"suite {card.name}: the main metric of its card is {card.main_metric!r} under "
            f"{card.protocol!r}, that of its scores {scores.main_metric!r} under "
            f"{scores.protocol!r}: a fault of the suite's code (SuiteCard against Scores). The "
            f"answers are stored; once it is mended, `bench score {run.name}` scores them"
        )


def _summary(
    run: StoredRun, scores: Scores, encoder: ScoringEncoder, images: int, resamples: int
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.name,
        "protocol": scores.protocol,
        "main_metric": scores.main_metric,
        "complete": scores.counts.complete,
        "images": images,
        "resamples": resamples,
        "seed": SEED,
        "encoder": {
            "name": encoder.name,
            "revision": encoder.revision,
            "digest": encoder.digest,
        },
        "settings": dict(scores.settings),
        "counts": asdict(scores.counts),
        "table": [asdict(score) for score in scores.table],
        "samples": [] if scores.draws is None else list(scores.draws.samples),
    }


def _frame_bytes(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    return table_bytes(pa.Table.from_pandas(frame, preserve_index=False))


def _array_bytes(values: NDArray[np.float32]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, np.float32), allow_pickle=False)
    return buffer.getvalue()
