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
from typing import NamedTuple

import pytest

from bench.store import StoredRun, stored_runs
from tests.bench.fakes import paint

IMAGES = 40
SECONDS = 20.0


class Moment(NamedTuple):
    """When to kill: so long after so many changes of the files a run writes.

    Counting changes finds every stage of a run however slow the machine is.
    """

    changes: int
    seconds: float


class Server:
    """Starts runs one after another, and kills them."""

    def __init__(self, folder: Path) -> None:
        paint(folder / "pictures", IMAGES)
        self.questions = folder / "questions.txt"
        self._pictures = folder / "pictures"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("run_server.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"FAKE_QUESTIONS": str(self.questions), "OMP_NUM_THREADS": "1"},
        )

    def life(self, root: Path, *, delay_ms: int = 0, kill: Moment | None = None) -> bool:
        """One run; whether it ended by itself."""
        child = int(self._say(f"{root} {self._pictures} {IMAGES} {delay_ms}"))
        ended = threading.Event()
        killer = threading.Thread(target=self._kill, args=(child, root, kill, ended))
        if kill is not None:
            killer.start()
        status = int(self._hear())
        ended.set()
        if kill is not None:
            killer.join()
        assert status in (0, signal.SIGKILL), "the run failed by itself"
        return status == 0

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _kill(self, child: int, root: Path, moment: Moment, ended: threading.Event) -> None:
        seen: object = None
        changes = -1
        while changes < moment.changes and not ended.is_set():
            now = (size(self.questions), {path: size(path) for path in root.rglob("*")})
            changes += now != seen
            seen = now
            time.sleep(0.001)
        if not ended.wait(moment.seconds):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def _say(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
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


@pytest.mark.timeout(300)
def test_runs_killed_at_many_moments_end_like_an_undisturbed_one(
    tmp_path: Path, server: Server
) -> None:
    assert server.life(tmp_path / "undisturbed")
    expected = content(tmp_path / "undisturbed")
    scoring = {"scores.json", "regions.parquet", "categories.parquet", "draws.npy"}
    assert set(expected) == {"answers", *scoring}

    chance = random.Random(2)
    stages: list[int] = []
    ends = time.monotonic() + SECONDS
    rounds = 0
    while len(stages) < 12 or time.monotonic() < ends:
        root = tmp_path / f"round-{rounds}"
        for _ in range(6):
            moment = Moment(chance.randrange(1, 70), chance.uniform(0, 0.02))
            if not server.life(root, delay_ms=2, kill=moment):
                stages.append(parts(root))
        assert server.life(root)
        assert content(root) == expected
        rounds += 1
    assert len(set(stages)) >= 3, "the kills should have met runs at several stages"


def test_no_stored_answer_is_asked_again_after_a_kill(tmp_path: Path, server: Server) -> None:
    root = tmp_path / "runs"
    while parts(root) < 2:
        assert not server.life(root, delay_ms=5, kill=Moment(9, 0.0))
    (run,) = stored_runs(root)
    stored = set(run.answered())
    server.questions.unlink()
    assert server.life(root)
    assert stored
    assert stored.isdisjoint(server.questions.read_text().splitlines())
