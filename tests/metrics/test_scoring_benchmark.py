"""The scoring benchmark measures what it says."""

from __future__ import annotations

import pytest

from benchmarks.scoring import compare, generate
from metrics.encoder import SentenceEncoder


@pytest.mark.parametrize(("count", "distinct"), [(2000, 500), (2000, 4000), (7, 5)])
def test_answers_and_labels_hold_as_many_distinct_texts_as_asked(count: int, distinct: int) -> None:
    data = generate(count, distinct)
    texts = {*data.references["category"], *data.answers["text"]}
    assert (len(data.references), len(data.answers), len(texts)) == (count, count, distinct)


def test_both_ways_give_the_same_means(encoder: SentenceEncoder) -> None:
    timing = compare(12, 9, encoder, encoder._model)
    assert timing.gap < 1e-5
    assert min(timing.per_pair, timing.ours) > 0
