"""What every free-text suite reports, as cards; the protocol itself is in ``protocols``."""

from __future__ import annotations

from suites.base import MetricCard

PROTOCOL = "wowseg-v1"
MAIN_METRIC = "semantic_similarity"
FREE_TEXT_METRICS = (
    MetricCard(
        MAIN_METRIC,
        "Cosine of the sentence embeddings of answer and reference, averaged over regions.",
    ),
    MetricCard(
        "semantic_iou",
        "Words that answer and reference share over all their words, averaged over regions.",
    ),
    MetricCard("exact_match", "Share of answers equal to their reference once both are cleaned."),
)
SYNONYM_MATCH = MetricCard(
    "synonym_match", "Share of answers equal to their reference or one of its annotated synonyms."
)
"""Reported too where the dataset annotates synonyms."""
