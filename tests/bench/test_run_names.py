"""What the names of runs on a command line mean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.config import Config, load_config
from bench.errors import StoreError
from bench.run_names import find_runs
from tests.bench.kinds import Bench

YAML = """\
schema_version: 1
models:
  one: {adapter: fake, checkpoint: first}
  two: {adapter: fake, checkpoint: second}
suites:
  dots: {kind: fakes, root: pictures, images: 3}
  stripes: {kind: fakes, root: pictures, images: 4}
mlflow: {enabled: false}
"""


@pytest.fixture
def config(bench: Bench, workplace: Path) -> Config:
    """Two models on two suites, and an older and a younger copy of one of the runs."""
    (workplace / "bench.yaml").write_text(YAML)
    assert bench("run", "--no-report") == 0
    config = load_config()
    (run,) = (config.runs / "dots" / "one").iterdir()
    for name, started in (("0older", "2001-01-01T00:00:00Z"), ("0younger", "2999-01-01T00:00:00Z")):
        copy = shutil.copytree(run, run.with_name(name))
        manifest = json.loads((copy / "run.json").read_text())
        manifest["sessions"][-1]["started"] = started
        (copy / "run.json").write_text(json.dumps(manifest))
    return config


def names(config: Config, given: str) -> list[str]:
    return [run.name for run in find_runs(config, given)]


def test_a_model_is_its_last_run_on_every_suite(config: Config) -> None:
    (stripes,) = (config.runs / "stripes" / "one").iterdir()
    assert names(config, "one") == ["dots/one/0younger", f"stripes/one/{stripes.name}"]


def test_a_suite_and_model_are_the_last_run(config: Config) -> None:
    assert names(config, "dots/one") == ["dots/one/0younger"]
    assert names(config, "dots/one/") == ["dots/one/0younger"]


def test_of_two_runs_worked_on_at_once_the_last_by_name_is_meant(config: Config) -> None:
    twin = config.runs / "dots" / "one" / "zz"
    shutil.copytree(twin.with_name("0younger"), twin)
    assert names(config, "dots/one") == ["dots/one/zz"]


def test_a_whole_name_is_that_run(config: Config) -> None:
    assert names(config, "dots/one/0older") == ["dots/one/0older"]


@pytest.mark.parametrize("given", ["runs/dots/one/0older", "./runs/dots/../dots/one/0older/"])
def test_a_folder_is_that_run(config: Config, given: str) -> None:
    assert names(config, given) == ["dots/one/0older"]


def test_a_folder_may_lie_elsewhere(config: Config, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other" / "dots" / "three" / "abc"
    shutil.copytree(config.runs / "dots" / "one" / "0older", elsewhere)
    assert names(config, str(elsewhere)) == ["dots/three/abc"]
    with pytest.raises(StoreError):
        find_runs(config, "three")


def test_a_folder_of_a_models_name_does_not_hide_the_model(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    assert len(names(config, "two")) == 2


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("onee", "'one'"),
        ("stripes/tow", "'stripes/two'"),
        ("dots/one/0yonger", "'dots/one/0younger'"),
        ("dots/one/0older/answers", "'dots/one/0older'"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(config: Config, given: str, near: str) -> None:
    with pytest.raises(StoreError, match=f"{given}.*did you mean.*{near}.*models: one, two$"):
        find_runs(config, given)


@pytest.mark.parametrize("given", ["", "/", "*", "dots", "../runs", "on\0e", "~no/one", "x" * 5000])
def test_odd_names_mean_no_run(config: Config, given: str) -> None:
    with pytest.raises(StoreError, match="no run stored under"):
        find_runs(config, given)


def test_an_empty_store_says_so(bench: Bench, workplace: Path) -> None:
    with pytest.raises(StoreError, match=r"no run is stored under .*runs.*bench run"):
        find_runs(load_config(), "one")
