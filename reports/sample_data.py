"""The sample browser's data: an index of all regions in columns, and shards of what they say.

The index lets a page order and filter hundreds of thousands of regions at once; texts are loaded
for the regions that are looked at. Shards lie worst first, so that the first view needs one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.data_scripts import MISSING_INDEX, Kind, column, script
from reports.records import Run, texts_of
from reports.region_values import NO_SCORE, own_metrics, units, worst_order

SCHEMA_VERSION = 1
SHARD_SIZE = 500
LONGEST_TEXT = 4000


def sample_files(run: Run, regions: pd.DataFrame, folder: str) -> Iterator[tuple[str, bytes]]:
    """``index.js`` and the shards ``0000.js``, ``0001.js`` … below ``folder``, by path.

    Args:
        run: whose regions they are.
        regions: its frame; the order of the index is that of the region ids.
        folder: path in the site.
    """
    ordered = regions.sort_values("region_id", kind="stable", ignore_index=True)
    metrics = own_metrics(run, ordered)
    scores = [units(ordered[f"{metric}/{run.protocol}"]) for metric in metrics]
    main = scores[0] if scores else np.full(len(ordered), NO_SCORE, np.int16)
    yield f"{folder}/index.js", script(_index(run, ordered, metrics, main))
    order = worst_order(main)
    for number, start in enumerate(range(0, len(order), SHARD_SIZE)):
        rows = order[start : start + SHARD_SIZE]
        shard = _shard(ordered.iloc[rows], [values[rows] for values in scores])
        yield f"{folder}/{number:04d}.js", script(shard)


def _index(
    run: Run, regions: pd.DataFrame, metrics: Sequence[str], main: NDArray[np.int16]
) -> dict[str, object]:
    references = texts_of(regions["category"])
    predicted = texts_of(regions["predicted"]) if "predicted" in regions else []
    names = sorted({*references, *predicted} - {""})
    statuses = texts_of(regions["status"])
    known = sorted(set(statuses))
    ids = "\n".join(texts_of(regions["region_id"]))
    return {
        "schema_version": SCHEMA_VERSION,
        "run": run.run,
        "model": run.model,
        "protocol": run.protocol,
        "encoder": run.encoder,
        "metrics": list(metrics),
        "regions": len(regions),
        "regions_digest": hashlib.sha256(ids.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "shard_size": SHARD_SIZE,
        "scores": column(main, "i2"),
        "categories": names,
        "category": _numbered(references, names),
        "predicted": _numbered(predicted, names) if predicted else None,
        "statuses": known,
        "status": column([known.index(status) for status in statuses], "u1"),
        "answer": column([_fingerprint(said) for said in texts_of(regions["text"])], "u4"),
    }


def _shard(regions: pd.DataFrame, scores: Sequence[NDArray[np.int16]]) -> dict[str, object]:
    said = {name: texts_of(regions[name]) for name in ("reference", "text")}
    return {
        "schema_version": SCHEMA_VERSION,
        "region": texts_of(regions["region_id"]),
        "image": texts_of(regions["image_id"]),
        **{name: [one[:LONGEST_TEXT] for one in texts] for name, texts in said.items()},
        "cut": {
            name: {str(at): len(one) for at, one in enumerate(texts) if len(one) > LONGEST_TEXT}
            for name, texts in said.items()
        },
        "scores": [[None if v == NO_SCORE else v for v in values.tolist()] for values in scores],
    }


def _numbered(texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    numbers = {name: number for number, name in enumerate(names)}
    kind: Kind = "u2" if len(names) < MISSING_INDEX else "u4"
    return column([numbers.get(one, MISSING_INDEX) for one in texts], kind)


def _fingerprint(said: str) -> int:
    """Equal for equal answers, and hardly ever for two that differ."""
    return zlib.crc32(said.encode("utf-8", "surrogatepass"))
