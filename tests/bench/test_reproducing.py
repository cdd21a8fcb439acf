"""What a run's page says about making it again really makes it again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from bench.store import stored_runs
from reports.reproducing import recipe
from tests.bench.kinds import Bench


@pytest.mark.parametrize(
    "words",
    [
        ("--model", "two", "--suite", "stripes", "--limit", "4"),
        ("--model", "one", "--option", "images=7"),
        ("--adapter", "fake", "--checkpoint", "third", "--dtype", "float32"),
    ],
    ids=["settings", "options", "ad hoc"],
)
def test_the_command_and_its_entries_give_the_same_run(
    workplace: Path, bench: Bench, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert bench("run", *words, "--no-report") == 0
    (made,) = stored_runs(workplace / "runs")
    found = recipe(made.manifest().values())
    again = tmp_path / "again" / "bench.yaml"
    again.parent.mkdir()
    entries = "\n".join(
        line for line in found.entries.splitlines() if not line.startswith("encoder:")
    )
    again.write_text(f"mlflow: {{enabled: false}}\n{entries}\n")
    program, *command = shlex.split(found.command)
    assert program == "bench"
    assert bench(*command, "--config", again, "--no-report") == 0
    (repeated,) = stored_runs(again.parent / "runs")
    assert repeated.name == made.name
    assert repeated.answers()["text"].tolist() == made.answers()["text"].tolist()
