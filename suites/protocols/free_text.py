"""Free-text region recognition: the model's words against the label's, region by region.

Protocols ``wowseg-v1`` (main), ``osprey-v1``, and ``wowseg-script-v1``: WOW-Seg's cleaning with
the smaller denominator of its script, which silently skips the masks it cannot see. In the
other two every region of the suite counts, and an unanswerable one scores 0.

Values are means over regions with a final answer. While regions are errored or missing, the
scores' ``counts`` say so, and the values stand for those regions only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.aggregate import group_means
from metrics.bootstrap import RESAMPLES, bootstrap_intervals
from metrics.semantic import Embeddings
from metrics.text import OSPREY_V1, WOWSEG_V1, Cleaning
from suites.base import Score, Scores, SuiteError, TextEncoder
from suites.free_text_metrics import MAIN_METRIC
from suites.protocols.joining import FINAL, SPOKEN, join_answers
from suites.protocols.text_pairs import EXACT, IOU, SIMILARITY, SYNONYM, TextPairs

FREQUENCIES = {"r": "rare", "c": "common", "f": "frequent"}
"""LVIS's letters for how many training images show a category."""


@dataclass(frozen=True, slots=True)
class TextProtocol:
    """A cleaning, the metrics it is reported for, and who is in the denominator.

    ``statuses`` are the statuses that count; ``groups`` says whether macro and per-frequency
    means are reported besides the mean over regions.
    """

    name: str
    cleaning: Cleaning
    metrics: tuple[str, ...]
    statuses: tuple[str, ...]
    groups: bool


_ALL_METRICS = (SIMILARITY, IOU, EXACT, SYNONYM)
MAIN = TextProtocol(WOWSEG_V1.name, WOWSEG_V1, _ALL_METRICS, FINAL, groups=True)
PROTOCOLS = (
    MAIN,
    TextProtocol(OSPREY_V1.name, OSPREY_V1, _ALL_METRICS, FINAL, groups=True),
    TextProtocol("wowseg-script-v1", WOWSEG_V1, (SIMILARITY, IOU), SPOKEN, groups=False),
)


def score_free_text(
    references: pd.DataFrame,
    answers: pd.DataFrame,
    encoder: TextEncoder,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Scores:
    """Score free-text answers under every protocol of this module.

    Metrics are ``semantic_similarity``, ``semantic_iou``, ``exact_match`` and, where references
    have synonyms, ``synonym_match``; each also as ``…[macro]`` (mean over categories) and, where
    references have frequencies, ``…[rare]``, ``…[common]`` and ``…[frequent]``. The score of an
    empty answer is that of the empty string.

    Args:
        references: one row per region: ``region_id``, ``image_id``, ``category`` (the label as
            annotated) and optionally ``frequency`` (LVIS's letter) and ``synonyms`` (list).
        answers: ``region_id``, ``text``, ``status``, in any order.
        encoder: embeds the cleaned texts, each distinct one once.
        resamples: bootstrap resamples of the intervals, drawn over images.
        seed: bootstrap seed.

    Returns:
        Scores whose ``count`` is the regions (for ``[macro]``: the categories) averaged over. A
        region without a final answer has NaN in every column of ``regions``; so has an
        unanswerable one in the columns of ``wowseg-script-v1``.

    Raises:
        SuiteError: an answer to a region that is not among the references, two answers to one
            region, a lacking column, or an unknown status or frequency.
    """
    frame, counts = join_answers(references, answers)
    values = _region_values(frame, encoder)
    regions = _regions(frame, values)
    table = tuple(
        score
        for protocol in PROTOCOLS
        for score in _table(protocol, frame, values, resamples, seed)
    )
    return Scores(
        main_metric=MAIN_METRIC,
        protocol=MAIN.name,
        encoder_digest=encoder.digest,
        table=table,
        counts=counts,
        regions=regions,
        categories=_categories(frame, values),
    )


Column = tuple[str, str]
"""Metric and protocol."""


def _region_values(frame: pd.DataFrame, encoder: TextEncoder) -> dict[Column, NDArray[np.float64]]:
    """Every region's value in every column ``[regions]``; NaN outside the denominator."""
    status = frame["status"]
    spoken = status.isin(SPOKEN).to_numpy()
    pairs = TextPairs.of(frame[spoken])
    cleanings = {protocol.cleaning.name: protocol.cleaning for protocol in PROTOCOLS}
    cleaned = {name: pairs.cleaned(cleaning) for name, cleaning in cleanings.items()}
    embeddings = Embeddings.of((t for c in cleaned.values() for t in c.texts()), encoder)
    scored = {name: texts.scores(embeddings) for name, texts in cleaned.items()}

    values = {}
    for protocol in PROTOCOLS:
        counted = status.isin(protocol.statuses).to_numpy()
        for metric in protocol.metrics:
            if metric in scored[protocol.cleaning.name]:
                column = np.where(counted, 0.0, np.nan)
                column[spoken] = scored[protocol.cleaning.name][metric][pairs.row_pairs]
                values[metric, protocol.name] = column
    return values


def _regions(frame: pd.DataFrame, values: dict[Column, NDArray[np.float64]]) -> pd.DataFrame:
    cleaned = {label: MAIN.cleaning.reference(label) for label in frame["category"].unique()}
    regions = frame[["region_id", "image_id", "category"]].astype("str")
    regions["reference"] = frame["category"].map(cleaned).astype("str")
    regions["text"] = frame["text"]
    regions["status"] = frame["status"]
    columns = {f"{metric}/{protocol}": column for (metric, protocol), column in values.items()}
    return pd.concat([regions, pd.DataFrame(columns, index=regions.index)], axis=1)


def _table(
    protocol: TextProtocol,
    frame: pd.DataFrame,
    values: dict[Column, NDArray[np.float64]],
    resamples: int,
    seed: int,
) -> Iterator[Score]:
    """The protocol's rows of the table: means over regions, over categories, by frequency."""
    metrics = [metric for metric in protocol.metrics if (metric, protocol.name) in values]
    columns = np.stack([values[metric, protocol.name] for metric in metrics], axis=1)
    counted = frame["status"].isin(protocol.statuses).to_numpy()
    images = pd.factorize(frame["image_id"], sort=True)[0]
    categories = pd.factorize(frame["category"], sort=True)[0]

    def scores(suffix: str, rows: NDArray[np.bool_], *, macro: bool = False) -> Iterator[Score]:
        groups = categories[rows] if macro else np.zeros(rows.sum(), np.intp)
        means, sizes = group_means(columns[rows], groups)
        present = sizes > 0
        intervals = bootstrap_intervals(
            columns[rows], images[rows], groups, resamples=resamples, seed=seed
        )
        for place, metric in enumerate(metrics):
            yield Score(
                metric + suffix,
                protocol.name,
                float(means[present, place].mean()) if present.any() else None,
                *intervals[place],
                count=int(present.sum() if macro else rows.sum()),
            )

    yield from scores("", counted)
    if protocol.groups:
        yield from scores("[macro]", counted, macro=True)
        for letter, rows in _frequency_rows(frame).items():
            yield from scores(f"[{FREQUENCIES[letter]}]", counted & rows)


def _frequency_rows(frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    if "frequency" not in frame:
        return {}
    letters = frame["frequency"]
    for letter in sorted(set(letters.dropna()) - set(FREQUENCIES)):
        raise SuiteError(
            f"frequency {letter!r} of a category; expected one of {', '.join(FREQUENCIES)}"
        )
    return {letter: (letters == letter).fillna(False).to_numpy(bool) for letter in FREQUENCIES}


def _categories(frame: pd.DataFrame, values: dict[Column, NDArray[np.float64]]) -> pd.DataFrame:
    """Means per category, long form; a category without a counted region has no row."""
    codes, names = pd.factorize(frame["category"], sort=True)
    parts = []
    for (metric, protocol), column in values.items():
        counted = ~np.isnan(column)
        means, counts = group_means(column[counted, None], codes[counted])
        present = np.flatnonzero(counts)
        parts.append(
            pd.DataFrame(
                {
                    "category": names[present],
                    "metric": metric,
                    "protocol": protocol,
                    "value": means[present, 0],
                    "count": counts[present],
                }
            )
        )
    long = pd.concat(parts).astype({"category": "str", "metric": "str", "protocol": "str"})
    return long.sort_values(["category", "metric", "protocol"], ignore_index=True)
