"""`bench report --site`: a whole site anywhere, built upon what is there."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from bench.board import gather
from bench.store import stored_runs
from tests.bench.kinds import Bench


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_site_grown_run_by_run_is_the_one_written_at_once(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("run", "--model", "one", "--no-report") == 0
    assert bench("report", "--site", "grown") == 0
    pages = set(files(workplace / "grown"))
    assert bench("run", "--model", "two", "--no-report") == 0
    assert bench("report", "--site", "grown") == 0
    capsys.readouterr()
    whole = workplace / "deep" / "whole"
    assert bench("report", "--site", whole, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"runs": 2, "board": str(whole / "index.html")}
    assert files(workplace / "grown") == files(whole)
    assert pages < set(files(workplace / "grown"))
    assert not (workplace / "site").exists()


def test_scoring_again_makes_a_runs_pages_anew(bench: Bench, workplace: Path) -> None:
    assert bench("run", "--model", "one") == 0
    (page,) = (workplace / "site").glob("runs/*/one/*[0-9a-f].html")
    before = page.stat().st_ino
    assert bench("report") == 0
    assert page.stat().st_ino == before
    (scores,) = workplace.glob("runs/*/one/*/scores/*/scores.json")
    values = json.loads(scores.read_text())
    values["table"][0]["low"] = 0.125
    scores.write_text(json.dumps(values))
    assert bench("report") == 0
    assert page.stat().st_ino != before
    assert "12.50" in page.read_text()


def test_a_site_does_not_name_the_machine(
    bench: Bench, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "secret.invalid")
    assert bench("run") == 0
    one, two = (run.name for run in stored_runs(workplace / "runs"))
    assert bench("compare", one, two) == 0
    assert bench("report") == 0
    manifests = list((workplace / "runs").rglob("run.json"))
    assert all("secret.invalid" in path.read_text() for path in manifests)
    assert len(list((workplace / "site" / "compare").glob("*.html"))) == 1
    named = [n for n, content in files(workplace / "site").items() if b"secret.invalid" in content]
    assert named == []


def test_another_process_can_be_sent_for_a_page(bench: Bench, workplace: Path) -> None:
    assert bench("run", "--model", "one", "--no-report") == 0
    (source,) = gather(stored_runs(workplace / "runs")).pages
    sent = pickle.loads(pickle.dumps(source))
    assert sent.load().run == source.run
    assert sent.digest == source.digest


def test_a_folder_that_is_a_file_is_refused(bench: Bench, workplace: Path) -> None:
    (workplace / "taken").write_text("")
    assert bench("report", "--site", "taken") == 2
