"""Speeds of one loaded model: warm-up, audits, then rounds in which all points take turns.

Taking turns spreads whatever else happens on the machine over all points alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Literal, NamedTuple

from adapters.interface import AdapterError, Answer, Generation, RegionRecognizer, Status
from bench.efficiency.asking import Question, ask, refusal
from bench.efficiency.audits import audit
from bench.efficiency.hardware import AttentionKernels
from bench.efficiency.meter import Lap, Memory, Meter, is_out_of_memory
from bench.efficiency.records import Audits
from bench.efficiency.scenes import Scene
from bench.efficiency.timing import Effort, WarmUp, warm_up


class Unmeasured(NamedTuple):
    """Why a point has no speed."""

    outcome: Literal["out_of_memory", "failed", "not_possible"]
    reason: str


@dataclass(slots=True)
class Measured:
    """What was found at one point; ``rounds`` holds a lap per query.

    ``tokens`` counts each region's generated tokens, ``unanswerable`` the regions that the model
    could not see. ``joules`` is the accelerator's energy over all rounds, ``None`` where it has
    no counter.
    """

    first: float
    warm_up: WarmUp
    audits: Audits
    attention: str
    rounds: list[list[Lap]] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    unanswerable: int = 0
    peaks: list[Memory] = field(default_factory=list)
    joules: float | None = None

    def laps(self) -> list[Lap]:
        """Every query's, in the order asked."""
        return [lap for laps in self.rounds for lap in laps]

    def tokens_per_region(self) -> float:
        """Mean number of generated tokens; 0 where every answer was empty."""
        return statistics.fmean(self.tokens) if self.tokens else 0.0


class Trial:
    """One question on its way through warm-up, audits and rounds."""

    def __init__(
        self,
        recognizer: RegionRecognizer,
        meter: Meter,
        question: Question,
        scenes: Sequence[Scene],
        effort: Effort,
    ) -> None:
        self.question = question
        self._recognizer, self._meter, self._effort = recognizer, meter, effort
        self._scenes = cycle(scenes)
        self._found: Measured | None = None

    def prepare(self) -> None:
        """Ask for the first time, warm up, and audit.

        Raises:
            NotPossible: the model cannot be asked this.
            Exception: whatever the model raises.
        """
        lap, answers = self._timed(next(self._scenes))
        if reason := refusal(self.question, answers):
            raise NotPossible(reason)
        warm = warm_up(lambda: self._timed(next(self._scenes))[0].seconds, self._effort)
        kernels = AttentionKernels()

        def plain(scene: Scene) -> list[Answer]:
            with kernels:
                generation = Generation(self.question.tokens)
                return ask(self._recognizer, self.question, scene, generation)

        audits = audit(
            self.question,
            self._seconds_and_answers,
            plain,
            [next(self._scenes) for _ in range(self._effort.repeats)],
        )
        self._found = Measured(lap.seconds, warm, audits, str(kernels))

    def measure_round(self) -> None:
        """Ask as often and as long as each round takes."""
        found = self.found()
        laps: list[Lap] = []
        self._meter.reset()
        before = self._meter.joules()
        while len(laps) < self._effort.queries_a_round or (
            sum(lap.seconds for lap in laps) < self._effort.seconds_a_round
        ):
            lap, answers = self._timed(next(self._scenes))
            laps.append(lap)
            found.tokens += [len(answer.token_ids) for answer in answers]
            found.unanswerable += sum(a.status is Status.UNANSWERABLE for a in answers)
        after = self._meter.joules()
        if before is not None and after is not None:
            found.joules = (found.joules or 0.0) + after - before
        found.peaks.append(self._meter.memory())
        found.rounds.append(laps)

    def found(self) -> Measured:
        """What was found so far; :meth:`prepare` comes first."""
        if self._found is None:
            raise RuntimeError("a trial is measured before it is prepared")
        return self._found

    def _timed(self, scene: Scene) -> tuple[Lap, list[Answer]]:
        question = self.question
        return self._meter.lap(lambda: ask(self._recognizer, question, scene, question.generation))

    def _seconds_and_answers(self, scene: Scene) -> tuple[float, list[Answer]]:
        lap, answers = self._timed(scene)
        return lap.seconds, answers


class NotPossible(Exception):
    """The model cannot be asked a question; the message is the model's reason."""


def measure(
    recognizer: RegionRecognizer,
    meter: Meter,
    questions: Sequence[Question],
    scenes: Sequence[Scene],
    effort: Effort,
    tell: Callable[[str], None],
) -> Iterator[tuple[Question, Measured | Unmeasured]]:
    """Measure every question, taking turns; each comes with what was found, or why nothing.

    A point that does not fit into memory, or that the model cannot be asked, is left out. After
    any other failure nothing more is asked: what the device is then in is anybody's guess.
    Questions that were not finished are not mentioned.

    Args:
        recognizer: the model.
        meter: of its device.
        questions: the points.
        scenes: pictures with at least as many regions as any question has; at least two.
        effort: how much is measured.
        tell: hears what is going on.
    """
    trials = [Trial(recognizer, meter, question, scenes, effort) for question in questions]
    for step in ("warm-up", *(f"round {n}" for n in range(1, effort.rounds + 1))):
        standing = []
        tell(f"{step} of {len(trials)} points")
        for trial in trials:
            problem = _attempt(trial.prepare if step == "warm-up" else trial.measure_round)
            if problem is None:
                standing.append(trial)
                continue
            meter.release()
            yield trial.question, problem
            if problem.outcome == "failed":
                return
        trials = standing
    yield from ((trial.question, trial.found()) for trial in trials)


def describe(question: Question) -> str:
    """A question in a few words, for messages."""
    return f"{question.instances} {question.way}, {question.decode} {question.tokens} tokens"


def problem_of(error: Exception) -> Unmeasured:
    """What an exception means for a point."""
    if is_out_of_memory(error):
        return Unmeasured("out_of_memory", _first_line(error))
    if isinstance(error, NotPossible):
        return Unmeasured("not_possible", str(error))
    if isinstance(error, AdapterError):
        return Unmeasured("not_possible", f"{type(error).__name__}: {error}")
    return Unmeasured("failed", f"{type(error).__name__}: {_first_line(error)}")


def _attempt(step: Callable[[], None]) -> Unmeasured | None:
    try:
        step()
    except Exception as error:  # the traceback, which holds tensors, goes with it
        return problem_of(error)
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
