from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from pathlib import Path

import pytest

from adapters.interface import Answer, FinishReason
from bench import atomic, manifest, records
from bench.errors import RunLocked, StoreError, StoreFull
from bench.records import AnswerRow
from bench.store import StoredRun, find_runs, stored_runs
from tests.bench.kinds import Asked, Bench


def row(region: str, text: str = "cat", error: str | None = None) -> AnswerRow:
    answer = Answer.generated(text, (1, 2), FinishReason.STOP, 3)
    if error is not None:
        answer = Answer.errored(error)
    return AnswerRow.of(region, region.split("/")[0], f"question about {region}", answer)


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    return StoredRun.at(tmp_path, "suite", "model", "0123")


def test_the_last_word_on_a_region_stands(run: StoredRun) -> None:
    with run.writing() as writer:
        writer.append([row("b/0", "dog"), row("a/0", error="dark")])
        writer.append([row("a/0", "cat")])
    answers = run.answers()
    assert list(answers["region_id"]) == ["a/0", "b/0"]
    assert list(answers["text"]) == ["cat", "dog"]


def test_an_error_is_stored_but_is_no_answer(run: StoredRun) -> None:
    with run.writing() as writer:
        writer.append([row("a/0", error="dark"), row("b/0")])
    assert list(run.answers()["status"]) == ["errored", "answered"]
    assert run.answered() == {"b/0": "question about b/0"}


def test_answers_are_the_same_bytes_however_they_were_parted(tmp_path: Path) -> None:
    rows = [row(f"{i:02d}/0", f"text {i}") for i in range(20)]
    frames = []
    for number, parts in enumerate(([rows], [rows[7:], rows[:7]], [[r] for r in rows[::-1]])):
        run = StoredRun.at(tmp_path, "suite", "model", str(number))
        with run.writing() as writer:
            for part in parts:
                writer.append(part)
        frames.append(run.answers().to_json(orient="records"))
    assert frames[0] == frames[1] == frames[2]


def test_any_text_can_be_stored(run: StoredRun) -> None:
    texts = ["\ud800 lone", "nul \x00", "<script>", "\u202e right to left", "", "🐈"]
    with run.writing() as writer:
        writer.append([row(f"{i}/0", text) for i, text in enumerate(texts)])
    assert list(run.answers()["text"]) == ["\ufffd lone", *texts[1:]]


def test_a_half_written_part_is_cleared_and_never_read(run: StoredRun) -> None:
    with run.writing() as writer:
        writer.append([row("a/0")])
    leftover = run.folder / "answers" / ".part-000001.parquet.tmp"
    leftover.write_bytes(b"PAR1 half")
    assert list(run.answers()["region_id"]) == ["a/0"]
    with run.writing():
        assert not leftover.exists()


def test_what_another_machine_left_half_written_is_cleared_too(run: StoredRun) -> None:
    with run.writing():
        leftover = run.folder / f".run.json.elsewhere.{os.getpid()}.tmp"
        leftover.write_text("{")
    with run.writing():  # the lock says that nobody is writing
        assert not leftover.exists()


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_only_what_no_process_is_writing_is_abandoned(tmp_path: Path, ended: int) -> None:
    here, old = atomic._machine(), time.time() - 2 * 86_400
    running, parent = os.getpid(), os.getppid()
    kept = [f".a.json.{here}.{running}.tmp", f".b.json.{here}.{parent}.tmp"]
    kept += [f".c.json.elsewhere.{ended}.tmp", ".d.json.tmp", f".e.json.{here}.{10**30}.tmp"]
    gone = [
        f".f.json.{here}.{ended}.tmp",
        ".g.json.elsewhere.1.tmp",
        f".h.json.{here}.{running}.tmp",
    ]
    for name in (*kept, *gone, "i.json"):
        (tmp_path / name).write_text("{")
    for name in gone[1:]:
        os.utime(tmp_path / name, (old, old))
    atomic.clear_abandoned(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "i.json"}


def test_two_processes_may_write_one_file_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flush = tmp_path / "a.json", os.fsync
    own = os.getpid()

    def write_another(descriptor: int) -> None:
        flush(descriptor)
        if os.getpid() == own:
            monkeypatch.setattr("os.getpid", lambda: own + 1)
            atomic.write_json(path, "theirs")
            monkeypatch.setattr("os.getpid", lambda: own)
            monkeypatch.setattr("os.fsync", flush)

    monkeypatch.setattr("os.fsync", write_another)
    atomic.write_json(path, "mine")
    assert json.loads(path.read_text()) == "mine"
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_a_damaged_part_is_named(run: StoredRun) -> None:
    with run.writing() as writer:
        writer.append([row("a/0")])
    (part,) = run.parts()
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(StoreError, match=r"part-000000\.parquet is damaged.*delete it"):
        run.answers()


def test_two_processes_cannot_write_one_run(run: StoredRun) -> None:
    with run.writing(), pytest.raises(RunLocked, match=r"process \d+ on"), run.writing():
        pass


def test_a_full_disk_loses_nothing_that_was_stored(run: StoredRun) -> None:
    with run.writing() as writer:
        writer.append([row("a/0")])
        before = {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()}
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
        try:
            with pytest.raises(StoreFull, match="no room on the disk"):
                writer.append([row("b/0")])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()} == before
        writer.append([row("b/0")])
    assert list(run.answers()["region_id"]) == ["a/0", "b/0"]


def test_a_disk_that_fills_up_in_a_run_ends_it_as_incomplete_and_it_resumes(
    bench: Bench,
    workplace: Path,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bench.part_writer.MAX_ROWS", 1)
    real = atomic.write_bytes
    written: list[Path] = []

    def fill_up(path: Path, content: bytes) -> None:
        if path.suffix == ".parquet" and path.parent.name == "answers":
            written.append(path)
            if len(written) == 2:
                raise StoreFull(f"no room on the disk to write {path}")
        real(path, content)

    monkeypatch.setattr("bench.store.write_bytes", fill_up)
    assert bench("run", "--model", "one", "--no-report") == 3
    assert "no room on the disk" in capsys.readouterr().err
    (run,) = stored_runs(workplace / "runs")
    kept = set(run.answered())
    assert kept
    assert run.manifest().sessions[-1].outcome == "failed"
    asked()
    assert bench("run", "--model", "one", "--no-report") == 0
    assert kept.isdisjoint(asked())


def test_a_manifest_of_a_newer_version_is_refused(bench: Bench, workplace: Path) -> None:
    bench("run", "--model", "one", "--no-report")
    (run,) = stored_runs(workplace / "runs")
    values = json.loads(run.manifest_path.read_text())
    run.manifest_path.write_text(json.dumps(values | {"schema_version": 99}))
    with pytest.raises(StoreError, match=r"schema_version 99.*update regionbench"):
        run.manifest()


def test_an_older_manifest_is_migrated_step_by_step(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, workplace: Path
) -> None:
    bench("run", "--model", "one", "--no-report")
    (run,) = stored_runs(workplace / "runs")
    values = json.loads(run.manifest_path.read_text())
    values["start_command"] = values.pop("command")
    run.manifest_path.write_text(json.dumps(values))

    def rename(old: dict[str, object]) -> dict[str, object]:
        return {("command" if k == "start_command" else k): v for k, v in old.items()}

    def raise_version(old: dict[str, object]) -> dict[str, object]:
        return old | {"schema_version": now + 2}

    now = manifest.SCHEMA_VERSION
    later = {now: rename, now + 1: raise_version}
    monkeypatch.setattr(manifest, "SCHEMA_VERSION", now + 2)
    monkeypatch.setattr(manifest, "MIGRATIONS", dict(manifest.MIGRATIONS) | later)
    assert run.manifest().command.startswith("bench run --model one")


def test_runs_are_found_by_the_beginning_of_their_name(tmp_path: Path) -> None:
    for suite, model in (("s", "m"), ("s", "m2"), ("s2", "m")):
        folder = StoredRun.at(tmp_path, suite, model, "01").folder
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    assert [run.name for run in find_runs(tmp_path, ["s/m"])] == ["s/m/01"]
    assert len(find_runs(tmp_path, [])) == 3
    with pytest.raises(StoreError, match=r"no stored run .* 's/m3'"):
        find_runs(tmp_path, ["s/m3"])


def test_equal_rows_give_equal_bytes() -> None:
    rows = [row("a/0"), row("b/0", error="dark")]
    assert records.encode(rows) == records.encode(list(rows))
