"""What is installed: the wheel holds everything a run needs, and nothing drags torchvision in."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "-w",
            str(folder),
            str(repository),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (path,) = folder.glob("regionbench-*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("room", ["adapters", "bench", "metrics", "reports", "suites"])
def test_every_room_is_shipped_typed(wheel: zipfile.ZipFile, room: str) -> None:
    assert f"{room}/py.typed" in wheel.namelist()


def test_the_default_configuration_is_shipped(wheel: zipfile.ZipFile, repository: Path) -> None:
    assert wheel.read("bench/default.yaml") == (repository / "bench.yaml").read_bytes()


def test_package_data_is_shipped_whole(wheel: zipfile.ZipFile, repository: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "adapters", "bench", "metrics", "reports", "suites"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert sorted(set(tracked) - set(wheel.namelist())) == []


def test_tests_and_tools_stay_out_of_the_wheel(wheel: zipfile.ZipFile) -> None:
    rooms = {name.split("/")[0] for name in wheel.namelist()}
    assert rooms - {"adapters", "bench", "metrics", "reports", "suites"} == {
        next(room for room in rooms if room.endswith(".dist-info"))
    }


@pytest.mark.parametrize("package", ["torchvision", "timm", "open_clip"])
def test_nothing_brings_torchvision(package: str) -> None:
    assert importlib.util.find_spec(package) is None


def test_constraints_pin_every_direct_dependency(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [requirement for group in groups for requirement in group]
    names = {w.split(">")[0].split("=")[0].split("[")[0].strip().lower() for w in wanted}
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (repository / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert sorted(names - pinned) == []
    assert "torch==2.13.0" in (repository / "constraints.txt").read_text().splitlines()
