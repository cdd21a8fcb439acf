"""Sweeps whose files are damaged, of a newer version, or written by others at the same time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench import cli
from bench.atomic import _machine
from bench.config import Config
from bench.efficiency.storing import read_record
from bench.errors import StoreError
from tests.bench.sweeps import PLAIN, SWEEP, Efficiency, efficiency, installed, paced, place, speeds

__all__ = ["efficiency", "installed", "paced", "place"]

Captured = pytest.CaptureFixture[str]
INCOMPLETE, USAGE = 3, 2


def newer(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))


@pytest.mark.parametrize("measure", ["cost", "speed"])
def test_a_damaged_record_is_done_again(
    efficiency: Efficiency, place: Path, capsys: Captured, measure: str
) -> None:
    _, printed = efficiency("--measure", measure)
    damaged = Path(printed["records"][2]["path"])
    damaged.write_bytes(damaged.read_bytes()[:100])
    (place / "bench.yaml").write_text(SWEEP.replace("MODELS", PLAIN))
    words = ("--preset", "quick", "--measure", measure, "--no-report", "--json")
    assert cli.run(["efficiency", *words]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)["records"]
    assert [record["path"] for record in found if record["fresh"]] == [str(damaged)]
    assert read_record(damaged).instances == printed["records"][2]["instances"]
    (line,) = [line for line in shown.err.splitlines() if str(damaged) in line]
    assert line.startswith("warning: ")
    assert line.endswith("; its point is done again, in its place")


@pytest.mark.parametrize("measure", ["cost", "speed"])
def test_a_record_of_a_newer_version_stops_the_sweep_and_is_kept(
    efficiency: Efficiency, place: Path, capsys: Captured, measure: str
) -> None:
    _, printed = efficiency("--measure", measure)
    path = Path(printed["records"][0]["path"])
    newer(path)
    before = path.read_bytes()
    words = ("--preset", "quick", "--measure", measure, "--no-report")
    assert cli.run(["efficiency", *words]) == USAGE
    assert "update regionbench" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_what_was_measured_is_told_also_without_a_board(
    efficiency: Efficiency,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    efficiency()

    def refuse(config: Config) -> Path:
        raise StoreError(f"{config.site} cannot be written")

    monkeypatch.setattr("bench.outcomes.write_board", refuse)
    assert cli.run(["efficiency", "--preset", "quick", *words]) == USAGE
    shown = capsys.readouterr()
    assert "site cannot be written" in shown.err
    if words:
        printed = json.loads(shown.out)
        assert (len(printed["records"]), printed["board"]) == (12, None)
    else:
        assert "computed cost" in shown.out
        assert "measured speed" in shown.out


def test_a_stray_file_costs_neither_sweep_nor_board(
    efficiency: Efficiency, place: Path, capsys: Captured
) -> None:
    efficiency("--measure", "cost")
    (place / "efficiency" / "main" / "notes.json").write_text("{}")
    assert cli.run(["efficiency", "--preset", "quick", "--measure", "cost", "--json"]) == 0
    shown = capsys.readouterr()
    assert Path(json.loads(shown.out)["board"]).is_file()
    assert "notes.json" in shown.err


def test_what_another_process_is_writing_is_left_alone(efficiency: Efficiency, place: Path) -> None:
    folder = place / "efficiency" / "main" / "one"
    folder.mkdir(parents=True)
    writing = folder / f".a.json.{_machine()}.{os.getppid()}.tmp"
    writing.write_text("{")
    code, _ = efficiency("--measure", "cost")
    assert code == 0
    assert writing.exists()


def test_a_model_named_twice_is_measured_once(efficiency: Efficiency, paced: ModuleType) -> None:
    words = ("--measure", "speed", "--model", "one", "--model", "one")
    _, once = efficiency(*words[:-2])
    calls = list(paced.ASKED)
    paced.ASKED.clear()
    code, printed = efficiency(*words, "--again")
    assert code == 0
    assert calls == paced.ASKED
    assert [point(r) for r in speeds(printed)] == [point(r) for r in speeds(once)]
    assert {tuple(record["interleaved"]) for record in speeds(printed)} == {()}


def point(record: dict[str, Any]) -> tuple[str, int]:
    return record["way"], record["instances"]
