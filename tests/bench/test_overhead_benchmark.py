"""The benchmark of the engine's overhead stores every answer and leaves time to the model."""

from __future__ import annotations

from pathlib import Path

from benchmarks import overhead as benchmark
from suites.registry import entry


def test_every_region_of_every_picture_is_asked_and_stored(tmp_path: Path) -> None:
    annotations = benchmark.draw(tmp_path, 6)
    suite = entry("regions-json").load(cache=tmp_path / "cache", annotations=str(annotations))
    assert len(suite) == 6
    assert len(suite.record(5).masks) == benchmark.REGIONS
    measured = benchmark.ask(suite, tmp_path / "runs", 0.01)
    assert measured.seconds >= 6 * 0.01


def test_pictures_differ_so_that_no_answer_is_shared(tmp_path: Path) -> None:
    benchmark.draw(tmp_path, 4)
    assert len({path.read_bytes() for path in tmp_path.glob("*.jpg")}) == 4


def test_memory_is_looked_at_in_two_halves() -> None:
    memory = benchmark.Memory()
    memory.samples = [10.0, 30.0, 20.0, 25.0]
    assert memory.halves() == (30.0, 25.0)
    memory.samples = []
    assert memory.halves() == (0.0, 0.0)
