"""Whether the timed queries did the work of ordinary ones."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from adapters.interface import Answer, Status
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

    Forced ones go on where a suite's end by themselves, so they must begin with these. Of regions
    asked together that counts until the first of a suite's answers ends: from there on fewer rows
    are decoded together, which in narrow numbers may round to other tokens.
    """
    if len(plain) != len(timed):
        return False
    if question.decode == "natural":
        return list(timed) == list(plain)
    lengths = [len(w.token_ids) for w in plain if w.status is not Status.UNANSWERABLE]
    shortest = max(1, min(lengths, default=1))  # no row is gone before the first token
    return all(
        _begins(answer, wanted, None if question.way == "alone" else shortest)
        for answer, wanted in zip(timed, plain, strict=True)
    )


def _begins(answer: Answer, wanted: Answer, length: int | None) -> bool:
    begun = wanted.token_ids[:length]
    seen = [one.status is Status.UNANSWERABLE for one in (answer, wanted)]
    return answer.token_ids[: len(begun)] == begun and seen[0] == seen[1]
