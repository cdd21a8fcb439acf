"""Scores in a model card: Hugging Face reads them back, and the rest of the card stays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from bench.model_index.results import _RECOGNITION, _TASKS
from reports.families import TASKS
from tests.bench.kinds import Bench

CARD = """\
---
license: apache-2.0   # ours
tags: [vision,  "region"]

model-index:
- name: my-model
  results:
  - task: {type: image-classification}   # somebody else's
    dataset:
        name: Other
        type: other
    metrics:
      - type: accuracy
        value: 0.50
# the language comes last
language: en
---
# My model

---
body with --- and model-index:
"""


def card_data(text: str) -> ModelCardData:
    """What Hugging Face reads in a model card."""
    data = ModelCard(text).data
    assert isinstance(data, ModelCardData)
    return data


@pytest.fixture
def scored(bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """A model with one complete run of the whole suite."""
    assert bench("run", "--model", "one", "--no-report") == 0
    capsys.readouterr()
    return bench


def stored(workplace: Path) -> dict[str, float]:
    """The run's own main scores ×100, as its folder has them."""
    (path,) = workplace.glob("runs/*/one/*/scores/*/scores.json")
    values = json.loads(path.read_text())
    return {
        row["metric"]: round(100 * row["value"], 2)
        for row in values["table"]
        if row["protocol"] == values["protocol"] and "[" not in row["metric"]
    }


def test_hugging_face_reads_the_stored_scores(
    scored: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (workplace / "bench.yaml").open("a") as file:
        file.write("publish: {url: 'https://board.example/regions/'}\n")
    assert scored("model-index", "one") == 0
    card = card_data(f"---\n{capsys.readouterr().out}---\n")
    results = card.eval_results
    assert results is not None
    assert card.model_name == "one"
    assert {result.metric_type: result.metric_value for result in results} == stored(workplace)
    (manifest,) = workplace.glob("runs/*/one/*/run.json")
    suite = json.loads(manifest.read_text())["suite"]
    for result in results:
        assert (result.dataset_type, result.dataset_revision) == (suite["name"], suite["digest"])
        assert result.verified is False
        assert result.source_url is not None
        assert result.source_url.startswith("https://board.example/regions/runs/")
        assert result.source_url.endswith(".html")
        assert (result.metric_args or {})["protocol"] == suite["protocol"]
    assert results[0].metric_type == suite["main_metric"]


def test_without_an_address_there_is_no_source(
    scored: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored("model-index", "one") == 0
    assert "source" not in capsys.readouterr().out


def test_a_card_keeps_every_other_byte(scored: Bench, workplace: Path) -> None:
    card = workplace / "README.md"
    card.write_text(CARD)
    assert scored("model-index", "one", "--card", card) == 0
    text = card.read_text()
    before, after = CARD.split("# the language")
    assert text.startswith(before)
    assert text.endswith(f"# the language{after}")
    results = card_data(text).eval_results
    assert results is not None
    assert [result.dataset_type for result in results].count("other") == 1
    assert len(results) == 1 + len(stored(workplace))


def test_our_own_entries_are_replaced(scored: Bench, workplace: Path) -> None:
    card = workplace / "README.md"
    card.write_text(CARD)
    assert scored("model-index", "one", "--card", card) == 0
    first = card.read_text()
    card.write_text(first.replace(f"value: {next(iter(stored(workplace).values()))}", "value: 1.5"))
    assert card.read_text() != first
    assert scored("model-index", "one", "--card", card) == 0
    assert card.read_text() == first


@pytest.mark.parametrize(
    "card",
    [
        "# No metadata\n",
        "",
        "---\n---\n# Empty metadata\n",
        "---\nlicense: mit\n---\n",
        "---\nlicense: mit\nmodel-index:\n---\nbody\n",
        "---\nmodel-index: []\nlicense: mit\n---\nbody\n",
        "---\nmodel-index:\n- name: one\n  results: []\nlicense: mit\n---\nbody\n",
        "---\nmodel-index: [{name: x, results: [{task: {type: t}, dataset: {name: d, type: d}, "
        "metrics: [{type: m, value: 1}]}]}]\nlicense: mit\n---\nbody\n",
        "\ufeff---\nlicense: mit\n---\nbody\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cards_of_every_form_take_them(scored: Bench, workplace: Path, card: str, end: str) -> None:
    path = workplace / "README.md"
    content = card.replace("\n", end).encode()
    path.write_bytes(content)
    assert scored("model-index", "one", "--card", path) == 0
    text = path.read_bytes().decode()
    assert text.startswith("\ufeff") == card.startswith("\ufeff")
    assert text.count("\n") == text.count(end if card else "\n")
    read = card_data(text.removeprefix("\ufeff"))
    results = read.eval_results
    assert results is not None
    found = {result.metric_type: result.metric_value for result in results}
    assert found.items() >= stored(workplace).items()
    assert ("license: mit" in card) == (read.license == "mit")
    body = card.replace("\n", end).rpartition(f"---{end}")[2].removeprefix("\ufeff")
    assert text.endswith(body)
    again = path.read_bytes()
    assert scored("model-index", "one", "--card", path) == 0
    assert path.read_bytes() == again


def test_another_file_may_take_the_result(scored: Bench, workplace: Path) -> None:
    card, output = workplace / "README.md", workplace / "new.md"
    card.write_text(CARD)
    assert scored("model-index", "one", "--card", card, "--output", output) == 0
    assert card.read_text() == CARD
    assert "regionbench" in output.read_text()
    assert scored("model-index", "one", "--output", workplace / "index.yaml") == 0
    assert list(yaml.safe_load((workplace / "index.yaml").read_text())) == ["model-index"]


def test_a_part_of_a_suite_is_no_score_of_it(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("run", "--model", "one", "--limit", 3, "--no-report") == 0
    capsys.readouterr()
    card = workplace / "README.md"
    card.write_text(CARD)
    assert bench("model-index", "one", "--card", card) == 3
    assert "covers 3 of 10 images" in capsys.readouterr().err
    assert card.read_text() == CARD


def test_an_incomplete_run_is_left_out(
    scored: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = workplace.glob("runs/*/one/*/scores/*/scores.json")
    values = json.loads(path.read_text())
    values["counts"]["errored"] = 2
    path.write_text(json.dumps(values))
    assert scored("model-index", "one") == 3
    assert "incomplete: 2 of" in capsys.readouterr().err


def test_runs_of_two_models_are_no_card(scored: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("run", "--model", "two", "--no-report") == 0
    assert scored("model-index", "one", "two") == 2
    assert "a model card is about one" in capsys.readouterr().err


def test_two_runs_of_one_suite_are_no_one_score(
    scored: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = (workplace / "bench.yaml").read_text()
    loud = quiet.replace("checkpoint: first", "checkpoint: first, settings: {tone: loud}")
    (workplace / "bench.yaml").write_text(loud)
    assert scored("run", "--model", "one", "--no-report") == 0
    runs = sorted(path.parent for path in workplace.glob("runs/*/one/*/run.json"))
    assert len(runs) == 2
    capsys.readouterr()
    assert scored("model-index", *runs) == 2
    said = capsys.readouterr().err
    assert "2 runs of one suite" in said
    assert all(run.name in said for run in runs)
    settings = []
    for run in runs:
        assert scored("model-index", run) == 0
        (entry,) = yaml.safe_load(capsys.readouterr().out)["model-index"][0]["results"]
        told = entry["dataset"]["args"]
        model = json.loads((run / "run.json").read_text())["model"]
        assert told["checkpoint"] == "first"
        assert told["checkpoint_digest"] == model["checkpoint_digest"]
        settings.append(told["settings"])
    assert sorted(settings, key=str) == [{"tone": "loud"}, {}]


def test_every_task_of_the_board_is_called_by_its_own_name() -> None:
    names = [_TASKS.get(task.main_metrics[0], _RECOGNITION) for task in TASKS]
    assert len(set(names)) == len(TASKS)


def test_named_masks_are_told_as_mask_classification(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--suite", "shapes-masks", "--option", "images=6", "--no-report", "--no-mlflow"]
    assert bench("run", "--model", "one", *options) == 0
    capsys.readouterr()
    assert bench("model-index", "one") == 0
    (entry,) = yaml.safe_load(capsys.readouterr().out)["model-index"][0]["results"]
    assert entry["task"] == {
        "type": "image-segmentation",
        "name": "Classification of ground-truth masks",
    }
    assert entry["metrics"][0]["type"] == "mask_accuracy"


@pytest.mark.parametrize("front", ["a: [", "- a\n- b"])
def test_metadata_that_cannot_be_read_is_left_alone(
    scored: Bench, workplace: Path, capsys: pytest.CaptureFixture[str], front: str
) -> None:
    card = workplace / "README.md"
    card.write_text(f"---\n{front}\n---\n")
    assert scored("model-index", "one", "--card", card) == 2
    assert "mend it first" in capsys.readouterr().err
    assert card.read_text() == f"---\n{front}\n---\n"


def test_a_card_that_is_not_there_is_named(
    scored: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored("model-index", "one", "--card", "missing.md") == 2
    assert "missing.md cannot be read" in capsys.readouterr().err


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys, bench.model_index.card, bench.model_index.results;"
        "import bench.publishing.site_commit;"
        "from bench.model_index.card import metadata; from huggingface_hub import EvalResult;"
        "metadata('m', [EvalResult(task_type='t', dataset_type='d', dataset_name='D', "
        "metric_type='x', metric_value=1)]);"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "set()"
