"""Damaged files: each is named with the way out, and costs no more than itself."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.checkpoint import read_json
from adapters.checkpoint_files import weight_files
from adapters.interface import CheckpointError
from bench.certificates import find_certificate
from bench.errors import CertificateError, ConfigError, StoreError, StoreFull
from bench.identity import picture_digest
from bench.output import print_table
from bench.store import StoredRun, stored_runs
from bench.stored_scores import current_scores
from bench.yaml_file import read_yaml
from tests.bench.kinds import Asked, Bench

Captured = pytest.CaptureFixture[str]
DEEP = "[" * 100_000


@pytest.fixture
def runs(bench: Bench, workplace: Path, capsys: Captured) -> list[StoredRun]:
    """A run of each of the two models."""
    assert bench("run", "--no-report") == 0
    capsys.readouterr()
    return stored_runs(workplace / "runs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: &a {m: *a}", "line 1: what begins here holds itself"),
        ("a: 1\nb: &b {<<: *b}", "line 2: what begins here holds itself"),
        ("a: &a [*a]", "line 1: what begins here holds itself"),
        ("[" * 2000, "nested too deeply"),
        ("\na: 2020-13-45", "this is no timestamp(.|\n)*line 2"),
        ("seed: !!int x", "this is no int(.|\n)*line 1"),
        ("seed: !!bool x", "this is no bool(.|\n)*line 1"),
        (f"seed: {'1' * 5000}", "this is no int(.|\n)*line 1"),
        ("a:\n- b: 1\n  b: 2", "line 3: the key 'b' stands twice"),
    ],
)
def test_yaml_that_makes_no_values_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)


def test_an_alias_may_stand_in_several_places(tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text("a: &x {q: 1}\nb: {<<: *x}\nc: [*x, *x]")
    assert read_yaml(path).values == {"a": {"q": 1}, "b": {"q": 1}, "c": [{"q": 1}] * 2}


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 0},
        {"schema_version": -1},
        {"schema_version": True},
        {"schema_version": 1, "sessions": None},
        {"schema_version": 1, "sessions": [5]},
        {"counts": {"expected": "many"}},
    ],
)
def test_a_damaged_manifest_says_how_to_go_on(
    bench: Bench, runs: list[StoredRun], asked: Asked, change: dict[str, object]
) -> None:
    path = runs[0].manifest_path
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreError, match="delete this file alone"):
        runs[0].manifest()
    path.unlink()
    asked()
    assert bench("run", "--model", "one", "--no-report") == 0
    assert asked() == []


def test_a_deeply_nested_manifest_is_damaged(runs: list[StoredRun]) -> None:
    runs[0].manifest_path.write_text(DEEP)
    with pytest.raises(StoreError, match=r"nested too deeply; delete this file"):
        runs[0].manifest()


def test_one_damaged_run_leaves_the_others_scored(
    bench: Bench, runs: list[StoredRun], capsys: Captured
) -> None:
    first, second = runs
    first.manifest_path.write_text("{")
    before = second.manifest().scorings
    assert bench("score", "--no-report", "--no-mlflow") == 2
    assert f"{first.manifest_path} is damaged" in capsys.readouterr().err
    assert second.manifest().scorings != before


def test_a_full_disk_ends_all_scoring(
    bench: Bench, runs: list[StoredRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise StoreFull("no room")

    monkeypatch.setattr("bench.scoring.score", full)
    assert bench("score", "--no-report", "--no-mlflow") == 3


def test_a_part_of_other_columns_is_damaged(runs: list[StoredRun]) -> None:
    (part,) = runs[0].parts()
    for table in (
        pq.read_table(part).set_column(0, "region_id", pa.array([1] * 29)),
        pq.read_table(part).drop_columns(["status"]),
    ):
        pq.write_table(table, part)
        with pytest.raises(StoreError, match=r"(?s)is damaged .*; delete it: only its"):
            runs[0].answers()


def test_scores_of_answers_that_were_cut_off_since_are_a_warning(
    bench: Bench, runs: list[StoredRun], capsys: Captured
) -> None:
    (part,) = runs[0].parts()
    part.write_bytes(part.read_bytes()[:-9])
    assert bench("report") == 0
    err = capsys.readouterr().err
    assert f"warning: {part} is damaged" in err
    assert "delete it and do `bench run` again" in err
    part.write_bytes(b"")
    assert current_scores(runs[0], runs[0].manifest()) is not None
    assert f"warning: {part} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "value"),
    [("counts", {"expected": "29"}), ("table", [{"metric": 5, "protocol": "p", "count": 1}])],
)
def test_scores_of_another_type_are_no_scores(
    runs: list[StoredRun], place: str, value: object
) -> None:
    (path,) = runs[0].scores_folder.glob("*/scores.json")
    values = json.loads(path.read_text())
    if isinstance(value, dict):
        values[place] |= value
    else:
        values[place] = [{"value": 1, "low": 1, "high": 1} | row for row in value]  # type: ignore[attr-defined]
    path.write_text(json.dumps(values))
    with pytest.raises(StoreError, match="is not a stored scoring"):
        current_scores(runs[0], runs[0].manifest())


def test_deeply_nested_json_is_damaged_wherever_it_lies(
    runs: list[StoredRun], tmp_path: Path
) -> None:
    (path,) = runs[0].scores_folder.glob("*/scores.json")
    path.write_text(DEEP)
    with pytest.raises(StoreError, match="nested too deeply"):
        current_scores(runs[0], runs[0].manifest())
    (tmp_path / "fake-r1.json").write_text(DEEP)
    with pytest.raises(CertificateError, match="nested too deeply"):
        find_certificate(tmp_path, "fake", 1)
    (tmp_path / "config.json").write_text(DEEP)
    with pytest.raises(CheckpointError, match="nested too deeply"):
        read_json(tmp_path / "config.json")
    (tmp_path / "model.safetensors.index.json").write_text(DEEP)
    with pytest.raises(CheckpointError, match="nested too deeply"):
        weight_files(tmp_path, "m")


def test_a_name_that_no_file_can_have_has_no_picture() -> None:
    assert picture_digest(Path("a\0b.png")) is None


def test_a_table_is_printed_into_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    print_table(("a",), [(1,)])


@pytest.mark.parametrize("value", ["2020-13-45", "[", "&a [*a]"])
def test_an_option_that_is_no_yaml_is_told(bench: Bench, capsys: Captured, value: str) -> None:
    assert bench("run", "--suite", "shapes", "--option", f"size={value}") == 2
    assert f"the value {value!r} " in capsys.readouterr().err
