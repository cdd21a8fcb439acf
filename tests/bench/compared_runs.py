"""Two runs of the fake suite to compare, and what `bench compare` says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.store import stored_runs
from bench.stored_scores import StoredScores, current_scores
from tests.bench.fakes import FakeSuite
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
Answered = Callable[..., Path]
MAIN = "semantic_similarity/wowseg-v1"
YAML = """\
schema_version: 1
models:
  one: {adapter: fake, checkpoint: first}
  two: {adapter: fake, checkpoint: second, settings: {tone: "big "}}
  breaks: {adapter: fake, checkpoint: third, settings: {fails_on: "0003"}}
suites:
  dots: {kind: fakes, root: pictures, images: 4}
  stripes: {kind: fakes, root: pictures, images: 10}
mlflow: {enabled: false}
"""


@pytest.fixture
def answered(bench: Bench, workplace: Path) -> Answered:
    """Store a run of a model on the ten stripes; regions not named are answered rightly."""
    (workplace / "bench.yaml").write_text(YAML)

    def store(model: str, wrong: Mapping[str, str], *words: str) -> Path:
        suite = FakeSuite(workplace / "pictures", 10)
        rows = [
            {"region_id": region, "text": wrong.get(region, label)}
            for record in map(suite.record, range(10))
            for region, label in zip(record.region_ids, record.labels, strict=True)
        ]
        path = workplace / f"{model}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        words = ("--suite", "stripes", "--model", model, "--no-report", "--no-mlflow", *words)
        assert bench("import", path, *words) in (0, 3)
        return workplace / "runs" / "stripes" / model

    return store


@pytest.fixture
def ab(answered: Answered) -> None:
    """A is wrong about two regions, B about one of them in other words, and about three others."""
    answered("a", {"0000/0": "moon", "0001/0": "sun"})
    answered("b", {"0000/0": "star", "0002/0": "sun", "0002/1": "sun", "0005/3": "sun"})


def compared(bench: Bench, capsys: Captured, *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert bench("compare", *words, "--json") == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def only(found: dict[str, Any]) -> dict[str, Any]:
    (comparison,) = found["comparisons"]
    assert found["not_compared"] == []
    return dict(comparison)


def metric(comparison: dict[str, Any], name: str, protocol: str = "wowseg-v1") -> dict[str, Any]:
    (row,) = [
        row for row in comparison["metrics"] if (row["metric"], row["protocol"]) == (name, protocol)
    ]
    return dict(row)


def stored(workplace: Path, model: str) -> StoredScores:
    (run,) = [r for r in stored_runs(workplace / "runs") if r.name.startswith(f"stripes/{model}/")]
    found = current_scores(run, run.manifest())
    assert found is not None
    return found[1]


def edit(path: Path, change: Callable[[Any], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
