"""Kill -9 at any moment, start again: the same bytes as an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.store import StoredRun, stored_runs
from tests.bench.fakes import paint

IMAGES = 40
SECONDS = 30.0


class Server:
    """Starts runs one after another, and kills them."""

    def __init__(self, pictures: Path, questions: Path) -> None:
        self._pictures = pictures
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("run_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"FAKE_QUESTIONS": str(questions), "OMP_NUM_THREADS": "1"},
        )

    def life(self, root: Path, *, delay_ms: int, kill_after: float | None = None) -> bool:
        """One run; whether it ended by itself."""
        child = int(self._say(f"{root} {self._pictures} {IMAGES} {delay_ms}"))
        killer = threading.Timer(kill_after or 0, kill, [child])
        if kill_after is not None:
            killer.start()
        status = int(self._hear())
        killer.cancel()
        assert status in (0, signal.SIGKILL), "the run failed by itself"
        return status == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _say(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    paint(tmp_path / "pictures", IMAGES)
    server = Server(tmp_path / "pictures", tmp_path / "questions.txt")
    yield server
    server.close()


def content(root: Path) -> dict[str, bytes]:
    """Sorted answers and score files, as bytes."""
    (run,) = stored_runs(root)
    found = {"answers": run.answers().to_json(orient="records").encode()}
    for path in sorted(run.scores_folder.rglob("*")):
        if path.is_file():
            found[path.name] = path.read_bytes()
    return found


def parts(root: Path) -> int:
    return sum(len(StoredRun(path.parent).parts()) for path in root.glob("*/*/*/answers"))


@pytest.mark.timeout(180)
def test_runs_killed_at_many_moments_end_like_an_undisturbed_one(
    tmp_path: Path, server: Server
) -> None:
    server.life(tmp_path / "warm-up", delay_ms=2)
    began = time.monotonic()
    assert server.life(tmp_path / "undisturbed", delay_ms=2)
    lifetime = time.monotonic() - began
    expected = content(tmp_path / "undisturbed")
    assert set(expected) == {"answers", "scores.json", "regions.parquet", "categories.parquet"}

    chance = random.Random(2)
    stages: list[int] = []
    ends = time.monotonic() + SECONDS
    rounds = 0
    while rounds < 2 or time.monotonic() < ends:
        root = tmp_path / f"round-{rounds}"
        while not server.life(root, delay_ms=2, kill_after=lifetime * chance.uniform(0, 0.8)):
            stages.append(parts(root))
        assert content(root) == expected
        rounds += 1
    assert len(stages) >= 10
    assert len(set(stages)) >= 4, "the kills should have met runs at several stages"


def test_no_stored_answer_is_asked_again_after_a_kill(tmp_path: Path, server: Server) -> None:
    root, questions = tmp_path / "runs", tmp_path / "questions.txt"
    stop = threading.Event()

    def kill_once_something_is_stored() -> None:
        while parts(root) < 2 and not stop.is_set():
            time.sleep(0.005)
        (lock,) = root.glob("*/*/*/lock")
        kill(int(lock.read_text().split()[1]))

    killer = threading.Thread(target=kill_once_something_is_stored)
    killer.start()
    assert not server.life(root, delay_ms=50)
    stop.set()
    killer.join()
    (run,) = stored_runs(root)
    stored = set(run.answered())
    assert stored
    questions.unlink()
    assert server.life(root, delay_ms=0)
    assert stored.isdisjoint(questions.read_text().splitlines())
