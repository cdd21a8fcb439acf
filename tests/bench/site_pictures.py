"""A run's site, and what its folder of pictures holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.kinds import Bench
from tests.reports.samples import read_script

Files = dict[str, bytes]


def pictures_of(workplace: Path) -> Files:
    """The site's shared files by name."""
    (folder,) = (workplace / "site" / "pictures").iterdir()
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def entries(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, content in files.items():
        if name.startswith("outlines-"):
            found |= read_script(content)["pictures"]
    return found


def jpegs(files: Files) -> list[str]:
    return [name for name in files if name.endswith(".jpg")]


def told(files: Files) -> str:
    return str(read_script(files["suite.js"])["note"])


def run(bench: Bench, *words: object) -> None:
    assert bench("run", "--model", "one", *words) == 0
