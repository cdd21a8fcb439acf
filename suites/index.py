"""The index: a suite's regions as a memory-mapped Arrow dataset, built once.

An index lives in ``<cache>/indexes/<suite>/<key>/``. The key is a digest of the annotation
files' bytes and of every setting that changes a region, so another file or setting is another
index and an index never goes stale. Pictures are not copied and not part of the key.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from adapters.interface import RLE, Box
from suites.annotations import Annotations, Category
from suites.base import DataInvalid
from suites.index_rows import write_regions
from suites.rasterize import Rasterizer, require_rasterizer
from suites.readers.json_files import file_digest

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 1
REGIONS_FILE = "regions.arrow"
_CARD_FILE = "index.json"


@dataclass(frozen=True, slots=True)
class IndexSource:
    """What an index is built from.

    ``files`` are hashed whole; ``settings`` are the options that change a region or its label.
    ``read`` is called only when there is no index yet.
    """

    suite: str
    files: tuple[Path, ...]
    read: Callable[[], Annotations]
    rasterizer: Rasterizer = Rasterizer.PYCOCOTOOLS
    settings: Mapping[str, str] = field(default_factory=dict)

    def key(self) -> str:
        """Hex SHA-256 that identifies the index's content, wherever the files lie.

        Raises:
            DataMissing: an annotation file is not there.
        """
        content = {
            "format": FORMAT_VERSION,
            "suite": self.suite,
            "rasterizer": self.rasterizer.value,
            "settings": dict(self.settings),
            "files": [file_digest(path) for path in self.files],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class IndexCard:
    """What ``index.json`` says about an index.

    ``images`` counts pictures with at least one region: the others (``images_without_regions``)
    have nothing to ask, and no row. ``empty_masks`` counts regions without a single pixel;
    they stay in the index and in every denominator.
    """

    format_version: int
    key: str
    suite: str
    edition: str
    rasterizer: str
    settings: Mapping[str, str]
    sources: tuple[str, ...]
    images: int
    images_without_regions: int
    regions: int
    empty_masks: int
    categories: Mapping[str, Category]


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One picture of the index; the tuples are aligned and ``boxes`` may be absent."""

    image_id: str
    file_name: str
    width: int
    height: int
    region_ids: tuple[str, ...]
    masks: tuple[RLE, ...]
    boxes: tuple[Box, ...] | None
    labels: tuple[str, ...]


class RegionIndex:
    """A finished index, memory-mapped: opening it reads no region."""

    def __init__(self, folder: Path) -> None:
        """Open the index in ``folder``.

        Raises:
            DataInvalid: the folder holds no complete index of this format.
        """
        import datasets  # takes seconds; processes that only build an index do without

        self.card = _read_card(folder)
        try:
            self._rows: Any = datasets.Dataset.from_file(str(folder / REGIONS_FILE))
        except (OSError, pa.ArrowInvalid) as error:
            raise DataInvalid(f"index {folder} is damaged ({error}); delete the folder") from error
        if len(self._rows) != self.card.images:
            raise DataInvalid(f"index {folder} is cut off; delete the folder")

    def __len__(self) -> int:
        """Number of pictures."""
        return self.card.images

    def row(self, position: int) -> IndexRow:
        """The picture at ``position``, in order of ``image_id``."""
        row = self._rows[position]
        size = (row["height"], row["width"])
        boxes = row["boxes"]
        return IndexRow(
            image_id=row["image_id"],
            file_name=row["file_name"],
            width=row["width"],
            height=row["height"],
            region_ids=tuple(row["region_ids"]),
            masks=tuple(RLE(size, counts) for counts in row["counts"]),
            boxes=None if boxes is None else tuple(Box(*box) for box in boxes),
            labels=tuple(row["labels"]),
        )

    def regions(self, images: int) -> pd.DataFrame:
        """One row per region of the first ``images`` pictures, in index order.

        Columns ``region_id``, ``image_id`` and ``category`` (the label as annotated).
        """
        import pandas as pd

        table = self._rows.data.table.slice(0, images)
        ids = table.column("region_ids")
        parents = pc.list_parent_indices(ids)
        return pd.DataFrame(
            {
                "region_id": pc.list_flatten(ids).to_pandas(),
                "image_id": table.column("image_id").take(parents).to_pandas(),
                "category": pc.list_flatten(table.column("labels")).to_pandas(),
            },
            dtype="str",
        )


def open_index(source: IndexSource, cache: Path) -> RegionIndex:
    """Open the source's index, building it in ``cache`` when there is none.

    Safe against several processes: each builds aside and the first to finish publishes its
    folder by renaming it; the others take that one.

    Raises:
        DataMissing: an annotation file is not there.
        DataInvalid: an annotation file is cut off, of another form, or contradicts itself.
        SuiteOptionError: the rasterizer is not installed.
    """
    require_rasterizer(source.rasterizer)
    key = source.key()
    folder = index_folder(cache, source.suite, key)
    if not folder.is_dir():
        publish(folder, lambda aside: _write(source, key, aside))
    return RegionIndex(folder)


def index_folder(cache: Path, suite: str, key: str) -> Path:
    """Where the index of ``key`` lies once it is built."""
    return cache / "indexes" / suite / key[:20]


def publish(folder: Path, write: Callable[[Path], None]) -> None:
    """Have ``write`` fill a folder aside, then make it ``folder``: whole or not at all.

    Where another process has published it meanwhile, that one stays.
    """
    aside = folder.parent / f".building-{folder.name[:8]}-{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    try:
        write(aside)
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except OSError as error:
        # Of a full disk nothing says where it is.
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(folder.parent)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(source: IndexSource, key: str, folder: Path) -> None:
    annotations = source.read()
    tally = write_regions(folder / REGIONS_FILE, annotations.images, source.rasterizer)
    card = IndexCard(
        format_version=FORMAT_VERSION,
        key=key,
        suite=source.suite,
        edition=annotations.edition,
        rasterizer=source.rasterizer.value,
        settings=dict(source.settings),
        sources=tuple(path.name for path in source.files),
        categories=annotations.categories,
        **asdict(tally),
    )
    write_card(folder, card)


def write_card(folder: Path, card: IndexCard) -> None:
    """Write ``index.json``, the last file of an index."""
    with (folder / _CARD_FILE).open("w", encoding="utf-8") as file:
        json.dump(asdict(card), file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())


def _read_card(folder: Path) -> IndexCard:
    path = folder / _CARD_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        categories = {
            name: Category(frequency, tuple(synonyms))
            for name, (frequency, synonyms) in content.pop("categories").items()
        }
        card = IndexCard(categories=categories, **content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataInvalid(f"index {folder} is damaged ({error}); delete the folder") from error
    if card.format_version != FORMAT_VERSION:
        raise DataInvalid(
            f"index {folder} has format {card.format_version}, not {FORMAT_VERSION}; "
            "delete the folder"
        )
    return card
