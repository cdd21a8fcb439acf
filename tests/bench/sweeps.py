"""``bench efficiency`` with sweeps of the paced model, registered as another distribution's."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bench import cli
from bench.efficiency.records import CostRecord, SpeedRecord
from bench.efficiency.storing import read_records

PACED = Path(__file__).with_name("paced.py")
SWEEP = """\
schema_version: 1
sweeps:
  main:
    instances: [1, 2, 4]
    tokens: 4
    picture: [64, 48]
    models: MODELS
"""
PLAIN = "{one: {adapter: paced, preset: small}}"

Efficiency = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is an installed distribution with the paced model."""
    folder = tmp_path_factory.mktemp("site-packages")
    shutil.copy(PACED, folder / "regionbench_paced.py")
    metadata = folder / "regionbench_paced-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: regionbench-paced\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[regionbench.adapters]\n"
        "paced = regionbench_paced:ENTRY\ncostless = regionbench_paced:COSTLESS\n"
    )
    return folder


@pytest.fixture
def place(tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which the paced model can be named."""
    monkeypatch.syspath_prepend(str(installed))
    importlib.invalidate_caches()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def efficiency(place: Path, capsys: pytest.CaptureFixture[str]) -> Efficiency:
    """The verb with a sweep of ``models``; its exit code and JSON output."""

    def run(*words: str, models: str = PLAIN) -> tuple[int, dict[str, Any]]:
        (place / "bench.yaml").write_text(SWEEP.replace("MODELS", models))
        fixed = ["efficiency", "--preset", "quick", "--no-report", "--json"]
        code = cli.run([*fixed, *words])
        printed = capsys.readouterr().out
        return code, json.loads(printed) if printed else {}

    return run


@pytest.fixture
def paced(place: Path) -> ModuleType:
    """The installed distribution's module, with empty lists."""
    module = importlib.import_module("regionbench_paced")
    for told in (module.ASKED, module.LOADED, module.COUNTED):
        told.clear()
    return module


def records_in(place: Path) -> list[CostRecord | SpeedRecord]:
    return read_records(place / "efficiency")


def speeds(printed: dict[str, Any]) -> list[dict[str, Any]]:
    return [record for record in printed["records"] if record["kind"] == "speed"]
