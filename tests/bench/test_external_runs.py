"""``bench run`` with models that are processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.interface import JsonScalar
from bench.store import StoredRun, stored_runs
from tests.adapters.external_fakes import alive, gone, write_worker
from tests.bench.kinds import Bench
from tests.bench.test_run import REGIONS_OF_TEN_IMAGES

WORKS = """
say(HELLO)
print("ready", file=sys.stderr)
for request in requests():
    print("asked", request["image_id"], file=sys.stderr)
    reply(request)
"""
INTERRUPTED = """
import sys
from bench import cli
from tests.bench.fakes import FakeEncoder
import metrics.encoder
metrics.encoder.SentenceEncoder.load = lambda *a, **k: FakeEncoder()
sys.exit(cli.run(sys.argv[1:]))
"""


def configure(
    workplace: Path,
    body: str,
    suite: str = "stripes: {kind: fakes, root: pictures, images: 10}",
    **settings: JsonScalar,
) -> None:
    command = write_worker(workplace / "worker.py", body)
    further = "".join(f", {name}: {value}" for name, value in settings.items())
    (workplace / "bench.yaml").write_text(
        "models:\n"
        f'  mine: {{adapter: external, settings: {{command: "{command}"{further}}}}}\n'
        f"suites:\n  {suite}\n"
        "mlflow: {enabled: false}\n"
    )


def only_run(workplace: Path) -> StoredRun:
    (run,) = stored_runs(workplace / "runs")
    return run


def log(workplace: Path) -> list[str]:
    return (only_run(workplace).folder / "logs" / "model.log").read_text().splitlines()


def test_the_documented_worker_runs_on_shapes_and_is_never_asked_twice(
    bench: Bench, workplace: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = repository / "docs" / "examples" / "external_worker.py"
    (workplace / "bench.yaml").write_text(
        "models:\n"
        f"  mean-colour: {{adapter: external, settings: {{command: {sys.executable} {worker}}}}}\n"
        "suites:\n  shapes: {images: 6}\nmlflow: {enabled: false}\n"
    )
    assert bench("run") == 0
    run = only_run(workplace)
    answers = run.answers()
    assert set(answers["status"]) == {"answered"}
    assert {"red", "blue"} <= set(answers["text"])
    assert run.manifest().model.checkpoint == "mean-colour"
    assert run.manifest().model.settings == {}
    assert "mean-colour" in (workplace / "site" / "index.html").read_text()
    parts = {part: part.read_bytes() for part in run.parts()}
    assert bench("run") == 0
    assert {part: part.read_bytes() for part in run.parts()} == parts
    assert bench("score") == 0
    assert bench("report") == 0


def test_standard_error_lies_in_the_run_and_sessions_follow_each_other(
    bench: Bench, workplace: Path
) -> None:
    configure(workplace, WORKS)
    assert bench("run", "--limit", 2, "--no-report") == 0
    begun = log(workplace)
    assert begun[1:] == ["ready", "asked 0000", "asked 0001"]
    assert bench("run", "--limit", 3, "--no-report") == 0
    assert log(workplace) == [*begun, begun[0], "ready", "asked 0002"]


def test_a_crash_costs_one_picture_which_the_next_run_asks_again(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(workplace, WORKS.replace("    reply", "    if LIFE == 1: 1 / 0\n    reply"))
    assert bench("run", "--no-report") == 3
    shown = capsys.readouterr()
    run = only_run(workplace)
    assert shown.err.splitlines()[-1] == (
        f"{run.name}: 2 regions errored; `{run.manifest().command}` asks them again; "
        f"the model's own messages are in {run.folder / 'logs' / 'model.log'}"
    )
    assert "incomplete" in shown.out
    assert "image '0000': worker `" in shown.err
    assert "ZeroDivisionError" in shown.err
    answers = only_run(workplace).answers()
    assert len(answers) == REGIONS_OF_TEN_IMAGES
    assert set(answers.loc[answers["status"] == "errored", "image_id"]) == {"0000"}
    assert "ZeroDivisionError: division by zero" in log(workplace)

    assert bench("run", "--no-report") == 0
    assert log(workplace)[-2:] == ["ready", "asked 0000"]
    assert set(only_run(workplace).answers()["status"]) == {"answered"}


def test_a_picture_that_takes_too_long_costs_that_picture(bench: Bench, workplace: Path) -> None:
    slow = "    if request['image_id'] == '0004': time.sleep(60)\n    reply"
    configure(workplace, WORKS.replace("    reply", slow), timeout_s=1)
    assert bench("run", "--no-report") == 3
    answers = only_run(workplace).answers()
    assert set(answers.loc[answers["status"] == "errored", "image_id"]) == {"0004"}


def test_a_worker_that_cannot_start_stops_the_command_and_says_why(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(workplace, "sys.exit('no weights at /models/mine')")
    assert bench("run", "--no-report") == 2
    assert "no weights at /models/mine" in capsys.readouterr().err
    assert stored_runs(workplace / "runs") == []


def test_another_digest_is_another_run_and_another_command_is_not(
    bench: Bench, workplace: Path
) -> None:
    configure(workplace, WORKS)
    bench("run", "--no-report")
    (workplace / "worker.py").rename(workplace / "moved.py")
    path = workplace / "bench.yaml"
    path.write_text(path.read_text().replace("worker.py", "moved.py"))
    assert bench("run", "--no-report") == 0
    assert [line for line in log(workplace) if line == "asked 0000"] == ["asked 0000"]
    configure(
        workplace, WORKS.replace("HELLO", "HELLO | {'model': {'name': 'fake', 'digest': 'b'}}")
    )
    assert bench("run", "--no-report") == 0
    assert len(stored_runs(workplace / "runs")) == 2


def test_a_task_the_worker_has_no_prompt_for_is_refused(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(workplace, WORKS.replace("HELLO", "HELLO | {'prompts': {'phrase': ''}}"))
    assert bench("run", "--no-report") == 2
    assert "has no prompt for the task 'category'" in capsys.readouterr().err


def test_a_worker_is_ended_when_its_model_is_done(bench: Bench, workplace: Path) -> None:
    configure(workplace, WORKS + "print('bye', file=sys.stderr)\n")
    assert bench("run", "--limit", 1, "--no-report") == 0
    assert log(workplace)[-1] == "bye"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_a_run_that_is_stopped(
    workplace: Path, third_party: Path, repository: Path, number: signal.Signals
) -> None:
    configure(
        workplace,
        "say(HELLO)\nfor request in requests():\n    reply(request)\n"
        "    Path('writing').write_text(str(os.getpid()))\n    Path('writing').rename('pid')\n"
        "    time.sleep(0.2)\n",
    )
    paths = os.pathsep.join([str(third_party), str(repository), os.environ.get("PYTHONPATH", "")])
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "run", "--no-report"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    while not (workplace / "pid").exists():
        assert run.poll() is None
        time.sleep(0.01)
    worker = int((workplace / "pid").read_text())
    assert alive(worker)
    run.send_signal(number)
    _, told = run.communicate(timeout=60)
    if number is signal.SIGINT:
        assert run.returncode == 3
        assert "interrupted" in told
    assert gone(worker)
