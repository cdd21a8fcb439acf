"""MLflow: the local database, a real server, and servers that are not there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.store import stored_runs
from tests.bench.kinds import Bench


@pytest.fixture
def tracked(workplace: Path) -> Path:
    """A workplace whose configuration leaves MLflow on."""
    path = workplace / "bench.yaml"
    path.write_text(path.read_text().replace("mlflow: {enabled: false}", ""))
    return workplace


def logged(uri: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("regionbench")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def files(uri: str, run_id: str, folder: str = "") -> set[str]:
    from mlflow import MlflowClient

    return {item.path for item in MlflowClient(tracking_uri=uri).list_artifacts(run_id, folder)}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take it seconds to make."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def database(tracked: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of the workplace."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_database, tracked / "mlflow.db")
    return f"sqlite:///{tracked}/mlflow.db"


def test_a_run_is_logged_to_a_database_in_the_working_directory(
    bench: Bench, tracked: Path, database: str
) -> None:
    assert bench("run", "--model", "two") == 0
    (record,) = logged(database)
    (run,) = stored_runs(tracked / "runs")
    assert record.info.status == "FINISHED"
    assert record.data.tags["regionbench.run"] == run.name
    assert record.data.params["checkpoint"] == "second"
    assert record.data.params["settings.tone"] == "big "
    assert record.data.metrics["regions/answered"] == 29
    assert record.data.metrics["exact_match/wowseg-v1"] == 0
    names = files(database, record.info.run_id)
    assert {"run.json", "scores", "board"} <= names
    assert "board/index.html" in files(database, record.info.run_id, "board")


def test_a_resumed_run_updates_its_record(bench: Bench, database: str) -> None:
    assert bench("run", "--model", "one", "--limit", 3, "--no-report") == 0
    assert bench("run", "--model", "one", "--no-report") == 0
    (record,) = logged(database)
    assert record.data.metrics["regions/answered"] == 29
    assert record.data.tags["regionbench.images"] == "10 of 10"


def test_an_incomplete_run_is_logged_without_scores(
    bench: Bench, tracked: Path, database: str
) -> None:
    (tracked / "pictures/0003.png").unlink()
    assert bench("run", "--model", "one", "--no-report") == 3
    (record,) = logged(database)
    assert record.info.status == "FAILED"
    assert record.data.metrics["regions/errored"] == 2
    assert not any("wowseg" in name for name in record.data.metrics)


def test_no_mlflow_turns_it_off(bench: Bench, tracked: Path) -> None:
    assert bench("run", "--model", "one", "--no-report", "--no-mlflow") == 0
    assert not (tracked / "mlflow.db").exists()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_dead_server_costs_a_warning_and_no_run(
    bench: Bench,
    tracked: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    assert bench("run", "--no-report") == 0
    assert time.monotonic() - began < 60
    err = capsys.readouterr().err
    assert err.count("could not be used") == 1
    assert "--no-mlflow" in err
    assert len(stored_runs(tracked / "runs")) == 2


def test_a_server_that_never_answers_cannot_hang_a_run(
    bench: Bench, tracked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        assert bench("run", "--model", "one", "--no-report") == 0
        assert time.monotonic() - began < 60
    assert "could not be used" in capsys.readouterr().err


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server on loopback."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    uri = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{folder}/server.db"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ],
        env=os.environ
        | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(f"{uri}/health", process)
        yield uri
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        assert process.poll() is None, "the MLflow server ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no MLflow server at {url} after {seconds} s")


def test_runs_are_logged_to_a_real_server(
    bench: Bench, tracked: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert bench("run", "--model", "one", "--limit", 3) == 0
    assert bench("run", "--model", "one") == 0
    (record,) = logged(server)
    assert record.data.metrics["regions/answered"] == 29
    assert record.data.metrics["semantic_iou/wowseg-v1"] == 1
    assert "board/index.html" in files(server, record.info.run_id, "board")
    assert not (tracked / "mlflow.db").exists()
