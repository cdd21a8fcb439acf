"""Scoring stored answers: needs the suite's index and a sentence encoder, no model, no pictures."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.atomic import write_bytes, write_json
from bench.config import Config
from bench.errors import StoreError
from bench.manifest import Manifest, ScoringRecord
from bench.provenance import now
from bench.records import table_bytes
from bench.store import RunWriter, StoredRun
from suites.base import Counts, Score, Scores, Selection, Suite, TextEncoder

if TYPE_CHECKING:
    import pandas as pd

    from metrics.encoder_files import EncoderFiles

SCHEMA_VERSION = 1
SEED = 0
_KEY_DIGITS = 12


class ScoringEncoder(TextEncoder, Protocol):
    """A sentence encoder that says what it is and where its files came from."""

    @property
    def name(self) -> str:
        """Hub id, or the folder's name."""
        ...

    @property
    def revision(self) -> str | None:
        """Commit of the Hub id."""
        ...

    @property
    def source(self) -> str:
        """Hub, folder, or the package that served the files."""
        ...


@dataclass(frozen=True, slots=True)
class StoredScores:
    """A scoring as it lies in a run's folder."""

    folder: Path
    main_metric: str
    protocol: str
    images: int
    table: tuple[Score, ...]
    counts: Counts

    def regions(self) -> pd.DataFrame:
        """The per-region frame; see :class:`suites.base.Scores`."""
        return _read_frame(self.folder / "regions.parquet")

    def categories(self) -> pd.DataFrame:
        """The per-category frame."""
        return _read_frame(self.folder / "categories.parquet")


def load_encoder(config: Config) -> ScoringEncoder:
    """Open the sentence encoder the configuration names.

    Raises:
        EncoderError: it cannot be had as asked for.
    """
    from metrics.encoder import SentenceEncoder

    model, revision = _encoder_named(config)
    return SentenceEncoder.load(model, revision=revision)


def find_encoder_files(config: Config) -> EncoderFiles:
    """Locate the sentence encoder without loading it.

    Raises:
        EncoderError: it cannot be had as asked for.
    """
    from metrics.encoder_files import find_encoder

    return find_encoder(*_encoder_named(config))


def _encoder_named(config: Config) -> tuple[str, str | None]:
    from metrics.encoder_files import DEFAULT_MODEL

    spec = config.contents.encoder
    return config.located(spec.model) or DEFAULT_MODEL, spec.revision


def scoring_key(protocol: str, encoder_digest: str) -> str:
    """Name of a scoring's folder."""
    return f"{protocol}-{encoder_digest[:_KEY_DIGITS]}"


def compute(
    run: StoredRun, suite: Suite, encoder: ScoringEncoder, selection: Selection, resamples: int
) -> Scores:
    """Score what is stored of a run against the suite.

    Raises:
        StoreError: the answers belong to another version of the suite.
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
    return suite.score(
        answers[selected], encoder, selection=selection, resamples=resamples, seed=SEED
    )


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
    (folder / "scores.json").unlink(missing_ok=True)
    write_bytes(folder / "regions.parquet", _frame_bytes(scores.regions))
    write_bytes(folder / "categories.parquet", _frame_bytes(scores.categories))
    write_json(folder / "scores.json", _summary(writer.run, scores, encoder, images, resamples))
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
    manifest = manifest.model_copy(
        update={"counts": asdict(scores.counts), "scorings": {**manifest.scorings, key: record}}
    )
    writer.write_manifest(manifest)
    return manifest


def current_scores(run: StoredRun, manifest: Manifest) -> tuple[ScoringRecord, StoredScores] | None:
    """The latest scoring of all that the run holds now, or ``None`` where there is none.

    A scoring from before answers were added, or of a smaller selection, is not current.

    Raises:
        StoreError: a scoring cannot be read.
    """
    parts = len(run.parts())
    latest_first = sorted(
        manifest.scorings.items(), key=lambda item: (item[1].scored, item[0]), reverse=True
    )
    for key, record in latest_first:
        path = run.scores_folder / key / "scores.json"
        if record.parts == parts and path.is_file():
            stored = _read_summary(path)
            if stored.images == manifest.selection.images:
                return record, stored
    return None


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
        "counts": asdict(scores.counts),
        "table": [asdict(score) for score in scores.table],
    }


def _read_summary(path: Path) -> StoredScores:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["schema_version"]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{path} has schema_version {version}, this regionbench reads up to "
                f"{SCHEMA_VERSION}; update regionbench, or score the run anew"
            )
        return StoredScores(
            folder=path.parent,
            main_metric=values["main_metric"],
            protocol=values["protocol"],
            images=values["images"],
            table=tuple(Score(**row) for row in values["table"]),
            counts=Counts(**values["counts"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is not a stored scoring ({error!r}); `bench score` writes it anew"
        ) from error


def _frame_bytes(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    return table_bytes(pa.Table.from_pandas(frame, preserve_index=False))


def _read_frame(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.read_table(path, partitioning=None).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged ({error}); `bench score` writes it anew") from error
    return frame
