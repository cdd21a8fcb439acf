"""Answers to a closed set's regions as classes, in the order of its index."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.segment_tables import NO_CLASS
from suites.base import Counts, TextEncoder
from suites.protocols.joining import FINAL, SPOKEN, join_answers
from suites.segmentation.class_names import ClassNames


class ClassedAnswers(NamedTuple):
    """Every selected region, in index order, with its true and its answered class.

    ``frame``: ``region_id``, ``image_id``, ``category``, ``text``, ``status``. ``truth`` and
    ``predicted`` are ``[regions]`` class indices; ``predicted`` is ``NO_CLASS`` for a region
    that is unanswerable, errored or missing. ``final`` says which have a final answer.
    """

    frame: pd.DataFrame
    truth: NDArray[np.intp]
    predicted: NDArray[np.intp]
    final: NDArray[np.bool_]
    counts: Counts

    @property
    def right(self) -> NDArray[np.float64]:
        """1 where the answered class is the true one, else 0 ``[regions]``."""
        return np.equal(self.truth, self.predicted).astype(np.float64)

    @property
    def images(self) -> NDArray[np.intp]:
        """Every region's image, numbered in index order ``[regions]``."""
        codes: NDArray[np.intp] = pd.factorize(self.frame["image_id"])[0]
        return codes


def class_answers(
    references: pd.DataFrame, answers: pd.DataFrame, names: ClassNames, encoder: TextEncoder
) -> ClassedAnswers:
    """Join answers to references and find the class of each; an empty text is matched too.

    Raises:
        SuiteError: an answer to a region that is not among the references, two answers to one
            region, a lacking column, or an unknown status.
    """
    joined, counts = join_answers(references, answers)
    frame = joined.set_index("region_id").loc[references["region_id"]].reset_index()
    spoken = frame["status"].isin(SPOKEN).to_numpy()
    predicted = np.full(len(frame), NO_CLASS, np.intp)
    if spoken.any():
        texts = frame["text"][spoken].tolist()
        predicted[spoken] = names.matcher(encoder).match(texts).classes
    position = {label: index for index, label in enumerate(names.labels)}
    return ClassedAnswers(
        frame=frame,
        truth=np.array([position[label] for label in frame["category"]], np.intp),
        predicted=predicted,
        final=frame["status"].isin(FINAL).to_numpy(),
        counts=counts,
    )


def region_frame(classed: ClassedAnswers, names: ClassNames, column: str) -> pd.DataFrame:
    """The per-region frame of :class:`suites.base.Scores`.

    ``predicted`` is the answered class's label, empty where there is none; ``column`` holds 1
    for a right class and 0 for a wrong one, NaN without a final answer.
    """
    labels = np.array([*names.labels, ""], dtype=object)  # NO_CLASS is the last
    frame = classed.frame[["region_id", "image_id", "category"]].astype("str")
    frame["reference"] = frame["category"]
    frame["text"] = classed.frame["text"]
    frame["status"] = classed.frame["status"]
    frame["predicted"] = pd.Series(labels[classed.predicted], dtype="str")
    frame[column] = np.where(classed.final, classed.right, np.nan)
    return frame.sort_values("region_id", ignore_index=True)


def category_frame(
    names: ClassNames,
    protocol: str,
    values: dict[str, NDArray[np.float64]],
    counts: NDArray[np.intp],
) -> pd.DataFrame:
    """The per-category frame of :class:`suites.base.Scores`.

    Args:
        names: names the classes.
        protocol: name of the protocol.
        values: by metric, a value per class ``[classes]``; NaN leaves the class out.
        counts: regions of each class ``[classes]``.
    """
    labels = np.array(names.labels, dtype=object)
    parts = [
        pd.DataFrame(
            {
                "category": labels[~np.isnan(value)],
                "metric": metric,
                "protocol": protocol,
                "value": value[~np.isnan(value)],
                "count": counts[~np.isnan(value)],
            }
        )
        for metric, value in values.items()
    ]
    long = pd.concat(parts).astype({"category": "str", "metric": "str", "protocol": "str"})
    return long.sort_values(["category", "metric", "protocol"], ignore_index=True)
