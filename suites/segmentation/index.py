"""Indexes of segmentation sets, built picture by picture in several processes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from suites.index import (
    FORMAT_VERSION,
    REGIONS_FILE,
    IndexCard,
    index_folder,
    publish,
    write_card,
)
from suites.index_rows import REGIONS_SCHEMA
from suites.segmentation.fingerprint import files_digest
from suites.segmentation.jobs import Job, SegmentedImage
from suites.segmentation.ordered_pool import ordered_map, processes_for
from suites.segmentation.tables import TABLES_FILE, TABLES_SCHEMA, table_record

_IMAGES_PER_CHUNK = 8
_READER_VERSION = 1
"""Raised when the same maps give other regions."""
_TABLES_VERSION = 2
"""Raised when the same maps give other tables, so that only the indexes with tables are new."""


@dataclass(frozen=True, slots=True)
class SegmentationSource:
    """What a segmentation index is built from.

    ``labels`` are the classes' labels by class index. ``tables`` says whether the jobs give
    contingency tables. ``sources`` names files or folders for the index's card.
    """

    suite: str
    jobs: Sequence[Job]
    labels: tuple[str, ...]
    tables: bool
    sources: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)

    def key(self, cache: Path) -> str:
        """Hex SHA-256 that identifies the index's content, wherever the files lie.

        Raises:
            DataMissing: a map is not there.
        """
        facts = hashlib.sha256("\n".join(job.facts for job in self.jobs).encode())
        content = {
            "format": FORMAT_VERSION,
            "reader": _READER_VERSION,
            "suite": self.suite,
            "labels": self.labels,
            "tables": self.tables and _TABLES_VERSION,
            "settings": dict(self.settings),
            "facts": facts.hexdigest(),
            "files": files_digest([path for job in self.jobs for path in job.files], cache),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def ensure_index(source: SegmentationSource, cache: Path, *, processes: int | None = None) -> Path:
    """The folder of the source's index, which is built in ``cache`` when there is none.

    Its bytes depend on the source alone, not on the number of processes.

    Args:
        source: the maps and how to read them.
        cache: folder that holds indexes.
        processes: how many build it; by default one per processor, within limits.

    Raises:
        DataMissing: a map is not there.
        DataInvalid: a map cannot be used or contradicts another.
        SuiteError: a building process died.
    """
    key = source.key(cache)
    folder = index_folder(cache, source.suite, key)
    if not folder.is_dir():
        workers = processes or processes_for(len(source.jobs))
        publish(folder, partial(_write, source, key, workers))
    return folder


def region_id(image_id: str, key: int) -> str:
    """A region's id: its image's, and its segment id or class index."""
    return f"{image_id}/{key:08d}"


class _Chunk(NamedTuple):
    """What becomes of some pictures.

    Those without a region are counted and have nothing to ask; their tables stay, since their
    pixels and the segments missed in them count.
    """

    regions: Any
    tables: Any
    images: int
    images_without_regions: int
    region_count: int


def _write(source: SegmentationSource, key: str, processes: int, folder: Path) -> None:
    made = ordered_map(
        partial(_build, source.labels, source.tables),
        _chunks(source.jobs),
        processes=processes,
    )
    images = without = regions = 0
    with ExitStack() as files:
        write_regions = _writer(files, folder / REGIONS_FILE, REGIONS_SCHEMA)
        write_tables = (
            _writer(files, folder / TABLES_FILE, TABLES_SCHEMA) if source.tables else None
        )
        for chunk in made:
            images += chunk.images
            without += chunk.images_without_regions
            regions += chunk.region_count
            write_regions(chunk.regions)
            if write_tables is not None:
                write_tables(chunk.tables)
    card = IndexCard(
        format_version=FORMAT_VERSION,
        key=key,
        suite=source.suite,
        edition="",
        rasterizer="none",
        settings=dict(source.settings),
        sources=source.sources,
        images=images,
        images_without_regions=without,
        regions=regions,
        empty_masks=0,
        categories={},
    )
    write_card(folder, card)


def _chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), _IMAGES_PER_CHUNK):
        yield jobs[start : start + _IMAGES_PER_CHUNK]


def _build(labels: tuple[str, ...], tables: bool, jobs: Sequence[Job]) -> _Chunk:
    made = [(job, job.extract()) for job in jobs]
    kept = [(job, image) for job, image in made if image.keys]
    records = [table_record(image.tables) for _, image in made if image.tables is not None]
    return _Chunk(
        regions=pa.RecordBatch.from_pylist(
            [_record(job, image, labels) for job, image in kept], schema=REGIONS_SCHEMA
        ),
        tables=pa.RecordBatch.from_pylist(records, schema=TABLES_SCHEMA) if tables else None,
        images=len(kept),
        images_without_regions=len(made) - len(kept),
        region_count=sum(len(image.keys) for _, image in kept),
    )


def _record(job: Job, image: SegmentedImage, labels: tuple[str, ...]) -> dict[str, object]:
    return {
        "image_id": job.image_id,
        "file_name": job.picture,
        "width": image.width,
        "height": image.height,
        "region_ids": [region_id(job.image_id, key) for key in image.keys],
        "counts": [mask.counts for mask in image.masks],
        "boxes": None,
        "labels": [labels[klass] for klass in image.classes],
    }


def _writer(files: ExitStack, path: Path, schema: Any) -> Callable[[Any], None]:
    file = files.enter_context(path.open("wb"))
    files.callback(_sync, file)
    stream = files.enter_context(pa.ipc.new_stream(file, schema))

    def write(batch: Any) -> None:
        if batch.num_rows:
            stream.write_batch(batch)

    return write


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
