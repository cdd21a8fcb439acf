"""Model cards whose metadata is no model index: refused, with the way out."""

from __future__ import annotations

import pytest
import yaml
from huggingface_hub import EvalResult

from bench.errors import CardError
from bench.model_index.card import merged

RESULTS = [
    EvalResult(task_type="t", dataset_type="d", dataset_name="D", metric_type="m", metric_value=1.5)
]
ENTRY = "{task: {type: t}, dataset: {name: o, type: o}, metrics: [{type: m, value: 1}]}"


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("model-index: 5", "is not a list of models"),
        ("model-index: [5]", "is not a list of models"),
        ("model-index: [{name: x, results: 5}]", "is not a list of models"),
        ("model-index:\n- name: x\n  results: 5", "is not a list of models"),
        ("model-index:\n- name: x\n  results:\n  - 5", "cannot read the card's metadata"),
        (f"a: {'[' * 2000}", "nested too deeply; keep to a few levels; mend it first"),
        ("a: &a {b: *a}", "holds itself by an alias"),
        ("a: 2020-13-45", "this is no timestamp"),
        ("!!set {model-index}", "not a list of"),
        (f"x: &x\n- name: x\n  results: [{ENTRY}]\nmodel-index: *x", "is an alias"),
    ],
)
def test_metadata_that_is_no_model_index_is_refused(front: str, message: str) -> None:
    with pytest.raises(CardError, match=message):
        merged(f"---\n{front}\n---\nbody\n", "x", RESULTS)


def test_results_behind_an_alias_are_written_out() -> None:
    card = f"---\nx: &x\n- {ENTRY}\nmodel-index:\n- name: m\n  results: *x\nlicense: mit\n---\n"
    front = yaml.safe_load(merged(card, "m", RESULTS).split("---")[1])
    (model,) = front["model-index"]
    assert [result["dataset"]["type"] for result in model["results"]] == ["o", "d"]
    assert front["license"] == "mit"
    assert len(front["x"]) == 1
