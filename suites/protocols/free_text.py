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

from metrics.bootstrap import RESAMPLES
from metrics.semantic import Embeddings
from metrics.text import OSPREY_V1, WOWSEG_V1, Cleaning
from suites.base import Scores, SuiteError, TextEncoder
from suites.free_text_metrics import MAIN_METRIC
from suites.protocols.joining import FINAL, SPOKEN, join_answers
from suites.protocols.region_scores import Bootstrap, category_means, column_name, mean_scores
from suites.protocols.resampled import Resampled, draws_of
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
    main_metric: str = MAIN_METRIC,
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
        main_metric: the suite's, one of the metrics above.
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
    bootstrap = Bootstrap(resamples, seed)
    rows = [
        row
        for protocol in PROTOCOLS
        for row in _protocol_scores(protocol, frame, values, bootstrap)
    ]
    return Scores(
        main_metric=main_metric,
        protocol=MAIN.name,
        encoder_digest=encoder.digest,
        table=tuple(row.score for row in rows),
        counts=counts,
        regions=_region_frame(frame, values),
        categories=category_means(frame["category"], values),
        draws=draws_of(rows, resamples),
    )


def _region_values(frame: pd.DataFrame, encoder: TextEncoder) -> pd.DataFrame:
    """Every region's value in every column ``metric/protocol``; NaN where it does not count."""
    status = frame["status"]
    spoken = status.isin(SPOKEN).to_numpy()
    pairs = TextPairs.of(frame[spoken])
    cleaned = {p.cleaning.name: pairs.cleaned(p.cleaning) for p in PROTOCOLS}
    embeddings = Embeddings.of((t for c in cleaned.values() for t in c.texts()), encoder)
    scored = {name: texts.scores(embeddings) for name, texts in cleaned.items()}

    columns = {}
    for protocol in PROTOCOLS:
        counted = status.isin(protocol.statuses).to_numpy()
        found = scored[protocol.cleaning.name]
        for metric in (name for name in protocol.metrics if name in found):
            column = np.where(counted, 0.0, np.nan)
            column[spoken] = found[metric][pairs.row_pairs]
            columns[column_name(metric, protocol.name)] = column
    return pd.DataFrame(columns, index=frame.index)


def _region_frame(frame: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    cleaned = {label: MAIN.cleaning.reference(label) for label in frame["category"].unique()}
    described = frame[["region_id", "image_id", "category", "text", "status"]].copy()
    described.insert(3, "reference", frame["category"].map(cleaned))
    return pd.concat([described.astype("str"), values], axis=1)


def _protocol_scores(
    protocol: TextProtocol, frame: pd.DataFrame, values: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[Resampled]:
    """The protocol's rows of the table: over regions, over categories, by frequency."""
    columns = [c for m in protocol.metrics if (c := column_name(m, protocol.name)) in values]
    counted = frame["status"].isin(protocol.statuses).to_numpy()
    images = frame["image_id"]
    yield from mean_scores(values.loc[counted, columns], images[counted], None, bootstrap)
    if not protocol.groups:
        return
    categories = pd.factorize(frame["category"], sort=True)[0]
    yield from mean_scores(
        values.loc[counted, columns], images[counted], categories[counted], bootstrap, "[macro]"
    )
    for name, members in _frequency_groups(frame).items():
        rows = counted & members
        yield from mean_scores(
            values.loc[rows, columns], images[rows], None, bootstrap, f"[{name}]"
        )


def _frequency_groups(frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Which regions belong to each frequency group; no group where the suite has none."""
    if "frequency" not in frame:
        return {}
    letters = frame["frequency"]
    if unknown := sorted(set(letters.dropna()) - set(FREQUENCIES)):
        raise SuiteError(
            f"a category has frequency {unknown[0]!r}; expected one of {', '.join(FREQUENCIES)}"
        )
    return {name: letters.isin([letter]).to_numpy() for letter, name in FREQUENCIES.items()}
