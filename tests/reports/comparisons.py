"""A synthetic comparison with everything a page can show, hostile answers among it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reports.compare_records import (
    Basis,
    CategoryRow,
    Comparison,
    MetricRow,
    RegionRow,
    Regions,
    Side,
    SpeedRow,
)
from tests.reports.boards import HOSTILE

RUN_ID = "20260601T120000-5f3a"
CATEGORIES = ("red lamp", "blue cup", "<b>bold</b>", "green door", "old chair", "tall tree")


def metric(name: str, difference: float | None, **changed: Any) -> MetricRow:
    """A row whose interval is 2 points to either side of its difference."""
    values: dict[str, Any] = {
        "metric": name,
        "protocol": "wowseg-v1",
        "first": 0.5,
        "second": None if difference is None else 0.5 + difference,
        "difference": difference,
        "low": None if difference is None else difference - 0.02,
        "high": None if difference is None else difference + 0.02,
        "p": None if difference is None else 0.002 if abs(difference) > 0.02 else 0.4,
        "basis": Basis.RESAMPLES,
    }
    return MetricRow(**(values | changed))


def category(name: str, at: int) -> CategoryRow:
    difference = (-1) ** at * (0.6 - at / 10)
    return CategoryRow(
        category=name,
        regions=40 - 3 * at,
        images=20 - at,
        first=0.5,
        second=0.5 + difference,
        difference=difference,
        low=difference - 0.1,
        high=difference + 0.1,
        p=0.0005 * 10**at if at < 3 else 0.5,
        adjusted_p=0.003 * 10**at if at < 3 else 0.9,
        own=((0.5, 0.25 + at / 10), (0.5, None)),
    )


def region(at: int, difference: float, text: str = "blue cup") -> RegionRow:
    return RegionRow(
        region_id=f"{at:04d}/{at % 3}",
        image_id=f"{at:04d}",
        category="red lamp",
        reference="red lamp",
        first_text="red lamp" if difference < 0 else text,
        second_text=text if difference < 0 else "red lamp",
        first_status="answered",
        second_status="empty" if not text else "answered",
        first=0.5,
        second=0.5 + difference,
        difference=difference,
    )


def side(model: str) -> Side:
    facts = {"Run": f"shapes/{model}/{RUN_ID}", "Checkpoint": model, "Device": "cpu"}
    return Side(
        facts["Run"], model, f"bench run --model {model} --suite shapes", tuple(facts.items())
    )


def speed(instances: int) -> SpeedRow:
    return SpeedRow(
        instances=instances,
        way="together",
        decoding="forced, 32 tokens",
        picture="640×480",
        dtype="float32",
        hardware="Example, 2 cores",
        first=1.5 * instances,
        second=3.0 * instances,
        ratio=2.0,
        low=1.9,
        high=2.1,
    )


def demo(**changed: Any) -> Comparison:
    """Model ``tiny-mm`` against ``tiny-sm``: better, with hostile answers lost first."""
    lost = [region(at, -0.9 + at / 100, text) for at, text in enumerate(HOSTILE)]
    made = Comparison(
        suite="shapes",
        suite_version="1",
        protocol="wowseg-v1",
        main_metric="semantic_similarity",
        encoder="encoder",
        first=side("tiny-sm"),
        second=side("tiny-mm"),
        complete=True,
        metrics=(
            metric("semantic_similarity", 0.05),
            metric("semantic_iou", -0.01),
            metric("exact_match", -0.08),
            metric("semantic_similarity[macro]", 0.03, basis=Basis.REGIONS, regions=120),
            metric("semantic_iou", None, protocol="osprey-v1", note="B has no such score"),
        ),
        regions=Regions(
            metric="semantic_similarity",
            protocol="wowseg-v1",
            higher_is_better=True,
            compared=400,
            total=420,
            won=tuple(region(100 + at, 0.45 - at / 1000) for at in range(130)),
            lost=tuple(lost),
        ),
        categories=tuple(category(name, at) for at, name in enumerate(CATEGORIES)),
        own_metrics=("pq", "iou"),
        speeds=(speed(1), speed(32)),
        speed_note="",
        notes=("the runs cover 40 and 60 of 100 images",),
    )
    return replace(made, **changed)
