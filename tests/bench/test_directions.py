"""Which way metrics are better is known without loading the suite, and as its card says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.directions import higher_is_better
from suites import registry
from suites.base import SuiteCard
from suites.free_text_metrics import FREE_TEXT_METRICS, SYNONYM_MATCH
from suites.segmentation.cards import MASK_METRICS, PANOPTIC_METRICS


def test_of_a_suite_of_ours_it_is_what_the_cards_say() -> None:
    cards = (*FREE_TEXT_METRICS, SYNONYM_MATCH, *MASK_METRICS, *PANOPTIC_METRICS)
    ours = [name for name in registry.names() if registry.entry(name).loader.startswith("suites.")]
    assert len(ours) >= 14
    for card in cards:
        found = {higher_is_better(name, card.name) for name in ours}
        assert found == {card.higher_is_better}


@pytest.mark.parametrize("kind", ["shapes", "shapes-masks", "shapes-panoptic"])
def test_a_loaded_suites_card_agrees(kind: str, tmp_path: Path) -> None:
    card: SuiteCard = registry.entry(kind).load(cache=tmp_path, images=2).card
    for metric in card.metrics:
        assert higher_is_better(kind, metric.name) == metric.higher_is_better


def test_a_third_partys_suite_says_which_are_better_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.SuiteEntry(
        "odd", "", "odd:load", "odd:check", lower_is_better=frozenset({"error_rate"})
    )
    monkeypatch.setattr("bench.directions.entry", lambda kind: entry)
    assert not higher_is_better("odd", "error_rate")
    assert not higher_is_better("odd", "error_rate[macro]")
    assert higher_is_better("odd", "accuracy")


def test_of_an_unknown_suite_higher_is_better() -> None:
    assert higher_is_better("gone", "anything")
