"""What all runs of one suite's digest share: its pictures and outlines, and who the runs are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from reports import paths
from reports.data_scripts import script
from reports.frames import Board, SuitePictures
from reports.records import Run

SCHEMA_VERSION = 1
FOLDER = "pictures"
_PICTURES_PER_SHARD = 16
_DIGITS = 12


def suite_folder(suite_digest: str) -> str:
    """Where a suite's shared files lie in the site."""
    return f"{FOLDER}/{suite_digest[:_DIGITS]}"


def suite_scripts(board: Board, runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """``suite.js`` of every suite digest with run pages: its runs, and what pictures there are."""
    by_name = {run.run: run for run in runs}
    members: defaultdict[str, list[Run]] = defaultdict(list)
    for page in board.pages:
        if page.suite_digest:
            members[page.suite_digest].append(by_name[page.run])
    pictures = {source.suite_digest: source for source in board.pictures}
    for digest, found in sorted(members.items()):
        yield (
            f"{suite_folder(digest)}/suite.js",
            script(
                {
                    "schema_version": SCHEMA_VERSION,
                    "runs": [_run(run) for run in sorted(found, key=lambda run: run.run)],
                    **_pictures(pictures.get(digest)),
                }
            ),
        )


def picture_files(source: SuitePictures) -> Iterator[tuple[str, bytes]]:
    """A suite's thumbnails and the shards of its outlines, by path in the site."""
    folder = suite_folder(source.suite_digest)
    shards: defaultdict[int, dict[str, object]] = defaultdict(dict)
    for picture in source.load():
        entry: dict[str, object] = {
            "width": picture.width,
            "height": picture.height,
            "outlines": picture.outlines,
        }
        if picture.jpeg is not None:
            entry["file"] = name = f"{paths.caseless(picture.image_id)}.jpg"
            yield f"{folder}/{name}", picture.jpeg
        shards[shard_of(picture.image_id, _shards(source))][picture.image_id] = entry
    for number in range(_shards(source)):
        content = {"schema_version": SCHEMA_VERSION, "pictures": shards[number]}
        yield f"{folder}/outlines-{number:04d}.js", script(content)


def shard_of(image_id: str, shards: int) -> int:
    """Which shard holds a picture's outlines: FNV-1a of its id's UTF-16 units, as in the script."""
    found = 0x811C9DC5
    units = image_id.encode("utf-16-le", "surrogatepass")
    for low, high in zip(units[::2], units[1::2], strict=True):
        found = (found ^ (low | high << 8)) * 0x01000193 & 0xFFFFFFFF
    return found % shards


def _run(run: Run) -> Mapping[str, object]:
    return {
        "run": run.run,
        "model": run.model,
        "regions": run.expected,
        "stem": paths.run_stem(run.run),
    }


def _pictures(source: SuitePictures | None) -> Mapping[str, object]:
    if source is None:
        return {"shards": 0, "licence": "", "note": ""}
    return {"shards": _shards(source), "licence": source.licence, "note": source.note}


def _shards(source: SuitePictures) -> int:
    return -(-source.images // _PICTURES_PER_SHARD)
