"""What is said of adapters: those without a model, and what one lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
FILE_READERS = ("majority", "random", "replay")


def test_the_list_says_that_the_checkpoint_is_a_file(bench: Bench, capsys: Captured) -> None:
    assert bench("list") == 0
    lines = capsys.readouterr().out.splitlines()
    for name in FILE_READERS:
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert "(checkpoint: the file)" in line


def test_they_are_documented(repository: Path) -> None:
    text = (repository / "docs" / "adapters.md").read_text(encoding="utf-8")
    for name in FILE_READERS:
        assert f"| `{name}` |" in text


def test_the_floor_is_configured_as_documented(
    bench: Bench, workplace: Path, repository: Path
) -> None:
    text = (repository / "docs" / "adapters.md").read_text(encoding="utf-8")
    (models,) = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    suites = "suites: {stripes: {kind: fakes, root: pictures}}\nmlflow: {enabled: false}\n"
    (workplace / "bench.yaml").write_text(models + suites)
    (workplace / "labels.txt").write_text("cup\ndog\ncup\n")
    assert bench("run", "--no-report") == 0


def test_an_adapter_without_checkpoint_names_what_can_be_given(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    assert bench("run", "--adapter", "wow-seg", "--no-report") == 2
    err = capsys.readouterr().err
    assert "adapter 'wow-seg' needs a checkpoint or a preset: give --checkpoint" in err
    assert "in bench.yaml either `checkpoint:` or, for random weights, `preset:`" in err
    assert "internvl3-1b" in err


def test_an_adapter_with_both_is_told_that_it_has_both(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = workplace / "bench.yaml"
    path.write_text("models: {m: {adapter: wow-seg, checkpoint: bundled:sm, preset: mid}}\n")
    assert bench("run", "--suite", "shapes", "--no-report") == 2
    assert "was given both a checkpoint and a preset" in capsys.readouterr().err
