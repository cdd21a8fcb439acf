"""Laws of asking: whatever happened before, a finished run holds the same answers."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.interface import Answer, Generation, RegionQuery, Task, UnsupportedTask
from bench import engine
from bench.engine import IMAGES_AHEAD, Tally, predict
from bench.identity import Asker
from bench.part_writer import PartWriter
from bench.store import StoredRun
from suites.base import ImageRecord
from tests.bench.fakes import FakeModel, FakeSuite, brightness, paint

IMAGES = 11


class Spy(FakeModel):
    """The fake model, noting what it was asked."""

    def __init__(self, fails_on: str | None = None, *, context: bool = False) -> None:
        super().__init__("first", {"fails_on": fails_on} | ({"context": True} if context else {}))
        self.calls: list[list[str]] = []
        self.regions: list[str] = []

    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        answers = super().recognize(queries, generation)
        self.calls.append([query.image_id for query in queries])
        self.regions += [region for query in queries for region in query.region_ids]
        return answers


def ask(run: StoredRun, suite: FakeSuite, model: FakeModel, images: int) -> Tally:
    tally = Tally()
    with run.writing() as writer, PartWriter(writer) as store:
        predict(
            suite,
            model,
            Asker.of(model.card, Task.CATEGORY, suite.generation),
            store,
            images=images,
            answered=run.answered(),
            tally=tally,
            report=lambda tally: None,
        )
    return tally


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    paint(folder, IMAGES)
    return folder


steps = st.lists(
    st.tuples(st.integers(1, IMAGES), st.sampled_from([None, "0000", "0005", "0010"])), max_size=4
)


@settings(max_examples=15, deadline=None)
@given(steps=steps, context=st.booleans())
def test_any_history_of_limits_and_failures_ends_in_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory,
    pictures: Path,
    steps: list[tuple[int, str | None]],
    context: bool,
) -> None:
    suite = FakeSuite(pictures, IMAGES)
    root = tmp_path_factory.mktemp("runs")
    straight, crooked = (StoredRun(root / name) for name in ("straight", "crooked"))
    ask(straight, suite, Spy(context=context), IMAGES)
    for limit, fails_on in [*steps, (IMAGES, None)]:
        ask(crooked, suite, Spy(fails_on, context=context), limit)
    assert crooked.answers().equals(straight.answers())


def test_every_picture_is_a_question_of_its_own(tmp_path: Path, pictures: Path) -> None:
    suite = FakeSuite(pictures, IMAGES)
    run = StoredRun(tmp_path / "run")
    ask(run, suite, Spy("0005"), IMAGES)
    whole, rest = Spy(), Spy()
    ask(StoredRun(tmp_path / "other"), suite, whole, IMAGES)
    ask(run, suite, rest, IMAGES)
    assert whole.calls == [[f"{i:04d}"] for i in range(IMAGES)]
    assert rest.calls == [["0005"]]


def test_an_interruption_costs_the_picture_in_progress_alone(
    tmp_path: Path, pictures: Path
) -> None:
    class Interrupted(Spy):
        def _answer(self, query: RegionQuery, mask: object) -> Answer:
            if query.image_id == "0002":
                raise KeyboardInterrupt
            return super()._answer(query, mask)  # type: ignore[arg-type]

    run = StoredRun(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        ask(run, FakeSuite(pictures, IMAGES), Interrupted(), IMAGES)
    assert set(run.answers()["image_id"]) == {"0000", "0001"}


def test_a_picture_the_adapter_fails_on_once_is_asked_again(tmp_path: Path, pictures: Path) -> None:
    class Moody(Spy):
        failed = False

        def _answer(self, query: RegionQuery, mask: object) -> Answer:
            if query.image_id == "0001" and not self.failed:
                self.failed = True
                raise RuntimeError("out of paint")
            return super()._answer(query, mask)  # type: ignore[arg-type]

    tally = ask(StoredRun(tmp_path / "run"), FakeSuite(pictures, IMAGES), Moody(), IMAGES)
    assert tally.warnings == []


def test_an_image_asked_again_is_asked_only_what_it_lacks(tmp_path: Path, pictures: Path) -> None:
    suite = FakeSuite(pictures, IMAGES)
    run = StoredRun(tmp_path / "run")

    class Forgetful(Spy):
        def _answer(self, query: RegionQuery, mask: object) -> Answer:
            if query.image_id == "0002" and mask == query.masks[1] and len(query.masks) > 1:
                return Answer.errored("forgot")
            return super()._answer(query, mask)  # type: ignore[arg-type]

    tally = ask(run, suite, Forgetful(), IMAGES)
    assert tally.warnings == ["forgot"]
    second = Spy()
    ask(run, suite, second, IMAGES)
    assert second.regions == ["0002/1"]


def test_an_adapter_that_loses_an_answer_is_caught(tmp_path: Path, pictures: Path) -> None:
    class Lossy(Spy):
        def recognize(
            self, queries: Sequence[RegionQuery], generation: Generation
        ) -> list[list[Answer]]:
            return [answers[:-1] for answers in super().recognize(queries, generation)]

    tally = ask(StoredRun(tmp_path / "run"), FakeSuite(pictures, IMAGES), Lossy(), 1)
    assert tally.warnings == ["image 0000: ValueError: the adapter gave 1 answers for 2 regions"]


def test_a_model_without_the_suites_prompt_stops_the_run(tmp_path: Path, pictures: Path) -> None:
    class Unable(Spy):
        def recognize(
            self, queries: Sequence[RegionQuery], generation: Generation
        ) -> list[list[Answer]]:
            raise UnsupportedTask("no prompt")

    with pytest.raises(UnsupportedTask):
        ask(StoredRun(tmp_path / "run"), FakeSuite(pictures, IMAGES), Unable(), IMAGES)


class Drawn(FakeSuite):
    """A suite that draws its pictures itself, one region and a megabyte each."""

    def record(self, index: int) -> ImageRecord:
        record = super().record(index)
        return replace(
            record,
            region_ids=record.region_ids[:1],
            masks=record.masks[:1],
            labels=record.labels[:1],
        )

    def query(self, index: int) -> RegionQuery:
        record = self.record(index)
        pixels = np.full((600, 600, 3), brightness(index, 0), dtype=np.uint8)
        image = PIL.Image.fromarray(pixels)
        return RegionQuery(
            record.image_id, image, None, record.masks, None, record.region_ids, Task.CATEGORY
        )


def test_memory_does_not_grow_with_the_suite(tmp_path: Path) -> None:
    class Blind(Spy):
        def _answer(self, query: RegionQuery, mask: object) -> Answer:
            return Answer.unanswerable("blind")

    images, picture = 120, 600 * 600 * 3
    tracemalloc.start()
    ask(StoredRun(tmp_path / "run"), Drawn(tmp_path, images), Blind(), images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Some pictures are ahead and one is being asked, each perhaps in two copies.
    assert peak < 2 * (IMAGES_AHEAD + 4) * picture < images * picture


def test_pictures_are_read_ahead_but_not_without_bound() -> None:
    made: list[int] = []
    lock = threading.Lock()

    def make(number: int) -> int:
        with lock:
            made.append(number)
        return number

    ahead = engine._ahead(make, range(100))
    assert next(ahead) == 0
    assert len(made) <= IMAGES_AHEAD + 1
    assert list(ahead) == list(range(1, 100))
