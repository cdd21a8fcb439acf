"""What is measured at a point, with a clock that stands still unless the model moves it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from adapters.interface import Answer, FinishReason, Generation, JsonScalar, RegionQuery, Task
from bench.efficiency.asking import Question
from bench.efficiency.audits import outputs_equal
from bench.efficiency.hardware import look_around
from bench.efficiency.measuring import Asked, Measured, measure
from bench.efficiency.meter import Meter, is_out_of_memory
from bench.efficiency.problems import Unmeasured
from bench.efficiency.records import Audits, Decode, Way
from bench.efficiency.scenes import Scene, draw_scene
from bench.efficiency.timing import EFFORTS, Effort, summarise, warm_up
from tests.bench.paced import CLOCK, PacedModel, paced_model

SIZE = (64, 48)
QUICK, FULL = EFFORTS["quick"], EFFORTS["full"]


def scenes(effort: Effort = QUICK) -> list[Scene]:
    return [draw_scene(seed, 8, SIZE) for seed in range(effort.scenes)]


def unseen() -> Iterator[Scene]:
    return (draw_scene(seed, 8, SIZE) for seed in itertools.count(100))


def question(instances: int = 2, way: Way = "together", decode: Decode = "forced") -> Question:
    return Question(way, decode, instances, 4, Task.CATEGORY)


def run(
    *questions: Question, effort: Effort = QUICK, **settings: JsonScalar
) -> dict[Question, Measured | Unmeasured]:
    return run_on(paced_model(settings), *questions, effort=effort)


def run_on(
    model: PacedModel, *questions: Question, effort: Effort = QUICK
) -> dict[Question, Measured | Unmeasured]:
    asked = Asked("paced", model, Meter("cpu", CLOCK), questions)
    found = measure([asked], scenes(effort), unseen(), effort, lambda _: None)
    return {question: result for _, question, result in found}


def measured(
    *questions: Question, effort: Effort = QUICK, **settings: JsonScalar
) -> list[Measured]:
    found = list(run(*questions, effort=effort, **settings).values())
    return [value for value in found if isinstance(value, Measured)]


def test_a_scene_has_as_many_different_regions_as_asked_for() -> None:
    scene = draw_scene(0, 32, (640, 480))
    assert scene.image.size == (640, 480)
    assert len(set(scene.masks)) == 32


def test_scenes_differ_and_are_the_same_again() -> None:
    assert draw_scene(3, 4, SIZE) == draw_scene(3, 4, SIZE)
    assert draw_scene(3, 4, SIZE).masks != draw_scene(4, 4, SIZE).masks


def test_together_is_one_query_and_alone_one_for_each_region() -> None:
    scene = scenes()[0]
    assert [len(query.masks) for query in question(4).queries(scene)] == [4]
    alone = question(4, "alone").queries(scene)
    assert [len(query.masks) for query in alone] == [1] * 4
    assert [query.masks[0] for query in alone] == list(scene.masks[:4])


def test_seconds_are_of_whole_pictures() -> None:
    together, alone = measured(question(2), question(2, "alone"))
    assert [lap.seconds for lap in together.laps()] == pytest.approx([1.24] * 3)
    assert [lap.seconds for lap in alone.laps()] == pytest.approx([2.28] * 3)


def test_the_points_take_turns() -> None:
    model = paced_model({})
    run_on(model, question(1), question(2), question(4))
    assert model.calls[-9:] == [1, 2, 4] * 3


def test_the_full_protocol_asks_at_least_fifty_times_and_for_thirty_seconds() -> None:
    (found,) = measured(question(1), effort=FULL)
    assert len(found.rounds) == 3
    assert len(found.laps()) >= 50
    assert sum(lap.seconds for lap in found.laps()) >= 30
    assert found.warm_up == (10, True)


def test_fast_models_are_asked_until_the_time_is_up() -> None:
    effort = Effort("full", 5, 20, queries=3, seconds=30, rounds=3, scenes=2, repeats=1)
    (found,) = measured(question(1), effort=effort)
    assert [len(laps) for laps in found.rounds] == [9, 9, 9]  # 1.14 s each


def test_warm_up_goes_on_until_two_windows_agree() -> None:
    seconds = iter([3.0] * 5 + [2.0] * 5 + [1.0] * 5 + [1.01] * 5)
    assert warm_up(lambda: next(seconds), FULL) == (20, True)


def test_warm_up_gives_up_at_last() -> None:
    seconds = itertools.count(1)
    slower_and_slower = lambda: 1.1 ** next(seconds)  # noqa: E731
    assert warm_up(slower_and_slower, FULL) == (100, False)


def test_percentiles_and_the_medians_interval() -> None:
    values = [float(value) for value in range(1, 101)]
    found = summarise(values)
    assert found[:3] == pytest.approx((50.5, 90.1, 99.01))
    assert 40 < found.low < 50.5 < found.high < 61
    assert summarise(values) == found
    assert summarise([2.0]) == (2.0, 2.0, 2.0, 2.0, 2.0)


def test_natural_answers_end_by_themselves() -> None:
    natural, forced = measured(question(2, decode="natural"), question(2))
    assert natural.tokens_per_region() == 3
    assert forced.tokens_per_region() == 4


def test_answers_without_tokens_are_measured() -> None:
    (found,) = measured(question(2, decode="natural"), length=0)
    assert found.tokens_per_region() == 0
    assert found.audits.outputs_equal


def test_an_ordinary_model_passes_the_audits() -> None:
    (found,) = measured(question(2))
    assert found.audits == Audits(
        outputs_equal=True, repeat_ratio=1.0, repeat_ok=True, repeatable=True
    )


def test_a_model_that_keeps_the_last_picture_is_found_out() -> None:
    (found,) = measured(question(2), keeps=True)
    assert found.audits.repeat_ratio == pytest.approx(0.2 / 1.24)
    assert not found.audits.repeat_ok


def test_a_model_that_keeps_every_picture_is_found_out() -> None:
    (found,) = measured(question(2), keeps="all")
    assert found.laps()[0].seconds == pytest.approx(0.2)  # all that is timed had been kept
    assert found.audits.repeat_ratio == pytest.approx(0.2 / 1.24)
    assert not found.audits.repeat_ok


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        ("answers", "the worker is gone"),
        ("lengths", "answers were to be 4 tokens long, but are 3 to 3"),
        ("number", "1 answers came for 2 regions"),
    ],
)
@pytest.mark.parametrize("calls", [1, 2, 5, 9])
def test_every_timed_query_must_be_answered(breaks: str, told: str, calls: int) -> None:
    (found,) = run(question(2), breaks=breaks, breaks_after=calls).values()
    assert isinstance(found, Unmeasured)
    assert found.outcome == "failed"
    assert found.reason.startswith("AnswersBroke: queries were answered, then")
    assert told in found.reason


def test_answers_must_be_as_many_as_regions() -> None:
    (found,) = run(question(2), breaks="number").values()
    assert found == Unmeasured("not_possible", "1 answers came for 2 regions")


def test_a_model_that_answers_otherwise_when_it_is_timed_is_found_out() -> None:
    (found,) = measured(question(2), hurries=True)
    assert not found.audits.outputs_equal


def test_a_model_that_answers_otherwise_every_time_is_found_out() -> None:
    (found,) = measured(question(2), wavers=True)
    assert found.audits.repeatable is False
    assert found.audits.repeat_ok


def test_what_a_model_keeps_beside_its_weights_is_not_counted_as_the_others() -> None:
    held = 0

    class Keeping(Meter):
        def held(self) -> int:
            return held

    class Hoarder(PacedModel):
        def recognize(
            self, queries: Sequence[RegionQuery], generation: Generation
        ) -> list[list[Answer]]:
            nonlocal held
            held = max(held, 100)  # once, and never given back
            return super().recognize(queries, generation)

    plain = paced_model({})
    models = [
        Asked("plain", plain, Keeping("cpu", CLOCK), [question(1)]),
        Asked("hoarder", Hoarder(plain.card, {}, CLOCK), Keeping("cpu", CLOCK), [question(1)]),
    ]
    list(measure(models, scenes(), unseen(), QUICK, lambda _: None))
    assert [model.meter.others for model in models] == [100, 0]


def test_out_of_memory_leaves_the_other_points_alone() -> None:
    found = run(question(1), question(4), question(2), breaks="memory", breaks_at=4)
    assert found[question(4)] == Unmeasured(
        "out_of_memory", "CUDA out of memory. Tried to allocate 2 GiB"
    )
    assert isinstance(found[question(1)], Measured)
    assert isinstance(found[question(2)], Measured)


def test_after_another_failure_nothing_more_is_asked() -> None:
    found = run(question(4), question(1), breaks="device", breaks_at=4)
    assert found == {
        question(4): Unmeasured(
            "failed", "RuntimeError: CUDA error: the device has fallen off the bus"
        )
    }


@pytest.mark.parametrize("way", ["together", "alone"])
def test_more_regions_than_the_model_can_take_at_once(way: Way) -> None:
    (found,) = run(question(4, way), limit=2).values()
    if way == "alone":
        assert isinstance(found, Measured)
    else:
        assert found == Unmeasured("not_possible", "the prompt exceeds the context of 100")


def test_an_adapter_that_cannot_force_answers_is_not_compared_by_them() -> None:
    (found,) = run(question(2), forces=False).values()
    assert isinstance(found, Unmeasured)
    assert found.outcome == "not_possible"
    assert "does not force their length" in found.reason


def test_what_out_of_memory_looks_like() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"))
    assert not is_out_of_memory(RuntimeError("device-side assert"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_other_processes_on_the_accelerator_are_told() -> None:
    neighbours = look_around(lambda query: ["4242, python train.py, 31000 MiB"])
    assert neighbours.processes == ("4242, python train.py, 31000 MiB",)
    assert any("4242, python train.py" in warning for warning in neighbours.warnings())


def answers(*tokens: tuple[int, ...]) -> list[Answer]:
    return [Answer.generated("", ids, FinishReason.STOP, 1) for ids in tokens]


def test_forced_answers_are_compared_until_the_first_plain_one_ends() -> None:
    plain = answers((1, 2, 3), (4, 5))
    together, alone = question(2), question(2, "alone")
    for timed, expected in (
        (answers((1, 2, 3, 9), (4, 5, 6, 7)), (True, True)),
        (answers((1, 2, 8, 9), (4, 5, 6, 7)), (True, False)),  # after the other had ended
        (answers((1, 8, 3, 9), (4, 5, 6, 7)), (False, False)),
        (answers((1, 2, 3, 9)), (False, False)),
    ):
        assert tuple(outputs_equal(asked, timed, plain) for asked in (together, alone)) == expected
    unseen_one, seen_one = Answer.unanswerable("no pixel"), answers((9, 9, 9, 9))
    assert not outputs_equal(together, [*seen_one, unseen_one], [*answers((1, 2)), unseen_one])
    assert not outputs_equal(together, seen_one * 2, [*answers((9, 9)), unseen_one])
    assert outputs_equal(together, [*seen_one, unseen_one], [*answers((9, 9)), unseen_one])
    natural = question(2, decode="natural")
    assert outputs_equal(natural, plain, plain)
    assert not outputs_equal(natural, answers((1, 2, 3, 9), (4, 5)), plain)


class Program(PacedModel):
    """One that keeps a log, as programs of their own do."""

    def log_to(self, path: Path) -> None:
        raise AssertionError(f"nothing is logged to {path}")


def test_a_program_that_did_not_answer_may_do_so_next_time() -> None:
    plain = paced_model({"breaks": "answers"})
    (found,) = run_on(Program(plain.card, {"breaks": "answers"}, CLOCK), question(2)).values()
    assert found == Unmeasured("failed", "AnswersBroke: the worker is gone")
    (found,) = run_on(plain, question(2)).values()
    assert found == Unmeasured("not_possible", "the worker is gone")


def test_an_answer_that_tells_of_no_memory_is_a_lack_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Answer.errored("OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
    monkeypatch.setattr(PacedModel, "_answer", lambda *_: [told] * 2)
    (found,) = run(question(2)).values()
    assert isinstance(found, Unmeasured)
    assert found.outcome == "out_of_memory"
