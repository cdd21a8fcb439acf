"""A workplace with the fake model and suite registered as another distribution's."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from bench import cli
from tests.bench.kinds import Asked, Bench

FAKES = Path(__file__).with_name("fakes.py")
BENCH_YAML = """\
schema_version: 1
models:
  one: {adapter: fake, checkpoint: first}
  two: {adapter: fake, checkpoint: second, settings: {tone: "big "}}
suites:
  stripes: {kind: fakes, root: pictures, images: 10}
mlflow: {enabled: false}
"""


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is an installed distribution with one adapter and one suite."""
    folder = tmp_path_factory.mktemp("site-packages")
    shutil.copy(FAKES, folder / "regionbench_fakes.py")
    metadata = folder / "regionbench_fakes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: regionbench-fakes\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[regionbench.adapters]\nfake = regionbench_fakes:ADAPTER\n"
        "[regionbench.suites]\nfakes = regionbench_fakes:SUITE\n"
    )
    return folder


@pytest.fixture
def workplace(tmp_path: Path, third_party: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a user with ten pictures and a bench.yaml."""
    monkeypatch.syspath_prepend(str(third_party))
    importlib.invalidate_caches()
    from tests.bench.fakes import FakeEncoder, paint

    paint(tmp_path / "pictures", 10)
    (tmp_path / "bench.yaml").write_text(BENCH_YAML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_CONFIG", raising=False)
    monkeypatch.delenv("BENCH_DEBUG", raising=False)
    monkeypatch.setenv("FAKE_QUESTIONS", str(tmp_path / "questions.txt"))
    monkeypatch.setattr("metrics.encoder.SentenceEncoder.load", lambda *a, **k: FakeEncoder())
    return tmp_path


@pytest.fixture
def bench(workplace: Path) -> Bench:
    """The command line in the workplace; returns the exit code."""
    return lambda *words: cli.run([str(word) for word in words])


@pytest.fixture
def asked(workplace: Path) -> Asked:
    """Region ids the fake model was asked about since the last call."""
    path = workplace / "questions.txt"

    def take() -> list[str]:
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    return take
