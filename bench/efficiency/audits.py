"""Whether the timed queries did the work of ordinary ones."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from adapters.interface import Answer
from bench.efficiency.asking import Question
from bench.efficiency.records import Audits
from bench.efficiency.scenes import Scene

_LEAST_RATIO = 0.9  # of a repeated picture's time to its first


def audit(
    question: Question,
    timed: Callable[[Scene], tuple[float, list[Answer]]],
    plain: Callable[[Scene], list[Answer]],
    scenes: Sequence[Scene],
) -> Audits:
    """Compare timed answers with a plain call's, and pictures with themselves asked again.

    Args:
        question: what the model is asked.
        timed: asks about a scene as the measurement does; seconds and answers.
        plain: asks about a scene as a suite does, whose answers end by themselves.
        scenes: pictures to ask about twice, none of which was asked about before: what is kept
            of a picture would make its first time here as short as its second.
    """
    ratios, equal, repeatable = [], True, True
    for number, scene in enumerate(scenes):
        first, answers = timed(scene)
        again, same = timed(scene)
        ratios.append(again / first if first > 0 else 1.0)
        repeatable = repeatable and answers == same
        if number == 0:
            equal = outputs_equal(question, answers, plain(scene))
    # Of two pairs the one that speaks for the model: other work can slow down any first time.
    ratio = statistics.median_high(ratios)
    return Audits(
        outputs_equal=equal,
        repeat_ratio=ratio,
        repeat_ok=ratio >= _LEAST_RATIO,
        repeatable=repeatable,
    )


def outputs_equal(question: Question, timed: Sequence[Answer], plain: Sequence[Answer]) -> bool:
    """Whether timed answers are those that a suite would get.

    Forced ones go on where a suite's end by themselves, so they must begin with these.
    """
    return len(plain) == len(timed) and all(
        _continues(answer, wanted) if question.decode == "forced" else answer == wanted
        for answer, wanted in zip(timed, plain, strict=True)
    )


def _continues(answer: Answer, wanted: Answer) -> bool:
    begins = answer.token_ids[: len(wanted.token_ids)] == wanted.token_ids
    return begins and answer.error == wanted.error
