"""Scores as they lie in a run's folder."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.json_text import parse_json
from bench.errors import StoreError
from bench.manifest import Manifest, ScoringRecord
from bench.output import warn
from bench.records import cut_off
from bench.store import StoredRun
from suites.base import Counts, Draws, Score

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

SCHEMA_VERSION = 1
SUMMARY = "scores.json"
REGIONS = "regions.parquet"
CATEGORIES = "categories.parquet"
DRAWS = "draws.npy"
_REGION_COLUMNS = ("region_id", "image_id", "category", "reference", "text", "status")
_ANEW = "`bench score` writes it anew"
_BEFORE_HEADER = 10  # bytes of an array file: magic, version, the header's length
_BEGINNING = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '<f4', 'fortran_order': False, "
    rb"'shape': \((\d+), (\d+)\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class StoredScores:
    """A scoring as it lies in a run's folder."""

    folder: Path
    main_metric: str
    protocol: str
    images: int
    table: tuple[Score, ...]
    counts: Counts
    samples: tuple[str, ...] = ()

    def draws(self) -> Draws | None:
        """The resampled scores; ``None`` for a scoring from before they were kept.

        Raises:
            StoreError: they are damaged.
        """
        return Draws(self._finite(self._resamples()), self.samples) if self.samples else None

    def main_draws(self) -> tuple[NDArray[np.float32], str] | None:
        """The main score's resamples ``[resamples]`` and their sample, read without the others.

        Raises:
            StoreError: they are damaged.
        """
        if not self.samples:
            return None
        main = (self.main_metric, self.protocol)
        names = [(score.metric, score.protocol) for score in self.table]
        if main not in names:
            return None
        at = names.index(main)
        return self._finite(self._resamples(at)[0]), self.samples[at]

    def _resamples(self, row: int | None = None) -> NDArray[np.float32]:
        """All rows of the file, or one alone: of a thousand runs' files that is what takes time."""
        import numpy as np

        path = self.folder / DRAWS
        try:
            with path.open("rb") as file:
                beginning = file.read(_BEFORE_HEADER)
                rows, length = _shape(
                    beginning + file.read(int.from_bytes(beginning[8:], "little"))
                )
                of_row = length * np.dtype(np.float32).itemsize
                if os.fstat(file.fileno()).st_size != file.tell() + rows * of_row:
                    raise ValueError("it ends early, or late")
                if row is not None:
                    file.seek(row * of_row, os.SEEK_CUR)
                wanted = length * (rows if row is None else 1)
                values = np.fromfile(file, np.float32, wanted).reshape(-1, length)
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} is damaged ({error}); {_ANEW}") from error
        if not rows == len(self.table) == len(self.samples):
            raise StoreError(f"{path} has not a row per score of {SUMMARY}; {_ANEW}")
        return values

    def _finite(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values, NaN for a missing one included."""
        import numpy as np

        if np.isinf(values).any():
            raise StoreError(f"{self.folder / DRAWS} holds an infinite score; {_ANEW}")
        return values

    def regions(self) -> pd.DataFrame:
        """The per-region frame; see :class:`suites.base.Scores`.

        Raises:
            StoreError: it is damaged, or no such frame.
        """
        path = self.folder / REGIONS
        frame = _read_frame(path, _REGION_COLUMNS, ("region_id", "image_id", "category"))
        if frame["region_id"].duplicated().any():
            raise StoreError(f"{path} has two rows of one region; {_ANEW}")
        return frame

    def categories(self) -> pd.DataFrame:
        """The per-category frame.

        Raises:
            StoreError: it is damaged, or no such frame.
        """
        path = self.folder / CATEGORIES
        named = ("category", "metric", "protocol")
        frame = _read_frame(path, (*named, "value", "count"), named)
        if len(frame) and frame["value"].dtype.kind not in "iuf":
            raise StoreError(f"{path} has values that are no numbers; {_ANEW}")
        return frame


def current_scores(run: StoredRun, manifest: Manifest) -> tuple[ScoringRecord, StoredScores] | None:
    """The latest scoring of all that the run holds now, or ``None`` where there is none.

    A scoring from before answers were added, of a smaller selection, or whose main score is not
    the one that the manifest names is not current.

    Raises:
        StoreError: a scoring cannot be read.
    """
    suite, parts = manifest.suite, run.parts()
    latest_first = sorted(
        manifest.scorings.items(), key=lambda item: (item[1].scored, item[0]), reverse=True
    )
    for key, record in latest_first:
        path = run.scores_folder / key / SUMMARY
        if record.parts == len(parts) and path.is_file():
            stored = _read_summary(path)
            same_main = (stored.main_metric, stored.protocol) == (suite.main_metric, suite.protocol)
            if same_main and stored.images == manifest.selection.images:
                _warn_of_damage(parts)
                return record, stored
    return None


def _warn_of_damage(parts: Sequence[Path]) -> None:
    """Scores stand without the answers they were made of, but cannot be made again."""
    for part in cut_off(parts):
        warn(
            f"{part} is damaged; the run's scores were made when it was whole, but cannot be made "
            "anew: delete it and do `bench run` again, which asks its regions alone"
        )


def _shape(beginning: bytes) -> tuple[int, int]:
    """Rows and their length by an array file's bytes before its values.

    Read here, as only the one kind of array that is stored is expected: numpy's own parser takes
    longer, and fails in many ways at damaged bytes.
    """
    found = _BEGINNING.fullmatch(beginning)
    if found is None:
        raise ValueError("not a table of float32")
    return int(found[1]), int(found[2])


def _read_summary(path: Path) -> StoredScores:
    try:
        values = parse_json(path.read_bytes().decode("utf-8"))
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
            table=tuple(map(_score, values["table"])),
            counts=_counts(values["counts"]),
            samples=tuple(values.get("samples", ())),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} is not a stored scoring ({error!r}); {_ANEW}") from error


def _counts(values: dict[str, Any]) -> Counts:
    for name, number in values.items():
        if type(number) is not int:
            raise ValueError(f"{number!r} is no count of regions {name}")
    return Counts(**values)


def _score(row: dict[str, Any]) -> Score:
    score = Score(**row)
    if not (isinstance(score.metric, str) and isinstance(score.protocol, str)):
        raise ValueError(f"{score.metric!r} under {score.protocol!r} is no metric's name")
    if type(score.count) is not int:
        raise ValueError(f"{score.count!r} is no count of {score.metric!r}")
    for value in (score.value, score.low, score.high):
        if value is not None and not (type(value) in (float, int) and math.isfinite(value)):
            raise ValueError(f"{value!r} is no score of {score.metric!r}")
    return score


def _read_frame(path: Path, columns: Sequence[str], named: Sequence[str]) -> pd.DataFrame:
    """A frame that has the ``columns``, those ``named`` in every row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.read_table(path, partitioning=None).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged ({error}); {_ANEW}") from error
    lacking = [name for name in columns if name not in frame.columns]
    if lacking:
        raise StoreError(f"{path} has no column {', '.join(lacking)}; {_ANEW}")
    for name in named:
        if frame[name].isna().any():
            raise StoreError(f"{path} has rows without {name}; {_ANEW}")
    return frame
