"""Speeds of loaded models: warm-up, audits, then rounds in which all points take turns.

Taking turns spreads whatever else happens on the machine over all points and models alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from adapters.interface import Answer, Generation, RegionRecognizer, Status
from adapters.lifecycle import KeepsLog
from bench.efficiency.asking import Question, ask, refusal
from bench.efficiency.audits import audit
from bench.efficiency.hardware import AttentionKernels
from bench.efficiency.meter import Lap, Memory, Meter, is_out_of_memory
from bench.efficiency.problems import AnswersBroke, NotPossible, Unmeasured, problem_of
from bench.efficiency.records import Audits
from bench.efficiency.scenes import Scene
from bench.efficiency.timing import Effort, WarmUp, warm_up


@dataclass(slots=True)
class Measured:
    """What was found at one point; ``rounds`` holds a lap per query.

    ``tokens`` counts each region's generated tokens, ``unanswerable`` the regions that the model
    could not see. ``joules`` is the accelerator's energy over all rounds, ``None`` where it has
    no counter. ``stops`` counts how often the sweep was stopped and went on with the next round.
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
    stops: int = 0

    def laps(self) -> list[Lap]:
        """Every query's, in the order asked."""
        return [lap for laps in self.rounds for lap in laps]

    def tokens_per_region(self) -> float:
        """Mean number of generated tokens; 0 where every answer was empty."""
        return statistics.fmean(self.tokens) if self.tokens else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A loaded model and what it is asked; ``name`` is for messages, ``meter`` of its device.

    ``begun`` is what a stopped sweep had found of some questions; ``keep`` takes what is found of
    one after each of its rounds.
    """

    name: str
    recognizer: RegionRecognizer
    meter: Meter
    questions: Sequence[Question]
    begun: Mapping[Question, Measured] = field(default_factory=dict)
    keep: Callable[[Question, Measured], None] = lambda *_: None


class Trial:
    """One question on its way through warm-up, audits and rounds."""

    def __init__(
        self,
        model: Asked,
        question: Question,
        scenes: Sequence[Scene],
        unseen: Iterator[Scene],
        effort: Effort,
    ) -> None:
        self.question = question
        self._recognizer, self._meter, self._effort = model.recognizer, model.meter, effort
        self._scenes, self._unseen = cycle(scenes), unseen
        self._found = model.begun.get(question)

    def lacks_round(self, number: int) -> bool:
        """Whether the round, counted from 1, is still to be measured."""
        return self._found is None or len(self._found.rounds) < number

    def prepare(self) -> None:
        """Ask for the first time, warm up, and audit; only warm up what was audited before.

        Raises:
            NotPossible: the model cannot be asked this.
            AnswersBroke: it answered once, but not again; or a program of its own did not at all.
            Exception: whatever the model raises.
        """
        lap, answers = self._asked(next(self._scenes))
        if reason := refusal(self.question, answers):
            raise self._refused(reason)
        warm = warm_up(lambda: self._timed(next(self._scenes))[0].seconds, self._effort)
        if self._found is not None:
            self._found.stops += 1
            return
        kernels = AttentionKernels()

        def plain(scene: Scene) -> list[Answer]:
            with kernels:
                generation = Generation(self.question.tokens)
                return ask(self._recognizer, self.question, scene, generation)

        audits = audit(
            self.question,
            self._seconds_and_answers,
            plain,
            [next(self._unseen) for _ in range(self._effort.repeats)],
        )
        self._found = Measured(lap.seconds, warm, audits, str(kernels))

    def measure_round(self) -> None:
        """Ask as often and as long as each round takes.

        Raises:
            AnswersBroke: a query was not answered as the first was.
            Exception: whatever the model raises.
        """
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

    def _refused(self, reason: str) -> Exception:
        """What it means that the first query was not answered."""
        if is_out_of_memory(RuntimeError(reason)):
            return MemoryError(reason)
        # A program of its own may have crashed, and be mended.
        is_program = isinstance(self._recognizer, KeepsLog)
        return AnswersBroke(reason) if is_program else NotPossible(reason)

    def _asked(self, scene: Scene) -> tuple[Lap, list[Answer]]:
        question = self.question
        return self._meter.lap(lambda: ask(self._recognizer, question, scene, question.generation))

    def _timed(self, scene: Scene) -> tuple[Lap, list[Answer]]:
        lap, answers = self._asked(scene)
        if reason := refusal(self.question, answers):
            raise AnswersBroke(f"queries were answered, then {reason}")
        return lap, answers

    def _seconds_and_answers(self, scene: Scene) -> tuple[float, list[Answer]]:
        lap, answers = self._timed(scene)
        return lap.seconds, answers


def measure(
    models: Sequence[Asked],
    scenes: Sequence[Scene],
    unseen: Iterator[Scene],
    effort: Effort,
    tell: Callable[[str], None],
) -> Iterator[tuple[Asked, Question, Measured | Unmeasured]]:
    """Measure every question, taking turns; each comes with what was found, or why nothing.

    Every round asks all models, one after the other, each about all of its points. A point that
    does not fit into memory, or that the model cannot be asked, is left out. After any other
    failure its model is asked nothing more: what the device is then in is anybody's guess.
    Questions that were not finished are not mentioned.

    Args:
        models: each with its points.
        scenes: pictures with at least as many regions as any question has; at least two.
        unseen: other ones, without end, for the audits.
        effort: how much is measured.
        tell: hears what is going on.
    """
    standing = [
        [Trial(model, question, scenes, unseen, effort) for question in model.questions]
        for model in models
    ]
    for number in range(effort.rounds + 1):  # the first warms up
        for model, trials in zip(models, standing, strict=True):
            asked = [trial for trial in trials if trial.lacks_round(number or effort.rounds)]
            if asked:
                step = f"round {number}" if number else "warm-up"
                tell(f"{model.name}: {step}, points: {len(asked)}")
            for trial in asked:
                held = model.meter.held()
                problem = _attempt(trial.measure_round if number else trial.prepare)
                if problem is None and number:
                    model.keep(trial.question, trial.found())
                if problem is not None:
                    model.meter.release()
                _attribute(model.meter.held() - held, model, models)
                if problem is None:
                    continue
                trials.remove(trial)
                yield model, trial.question, problem
                if problem.outcome == "failed":
                    trials.clear()
                    break
    for model, trials in zip(models, standing, strict=True):
        yield from ((model, trial.question, trial.found()) for trial in trials)


def _attribute(kept: int, owner: Asked, models: Sequence[Asked]) -> None:
    """Tell the meters of the other models that their device holds so many bytes more of this one.

    A model may keep more than its weights, such as room for keys and values.
    """
    for model in models:
        if model is not owner and model.meter.device == owner.meter.device:
            model.meter.others += kept


def describe(question: Question) -> str:
    """A question in a few words, for messages."""
    return f"{question.instances} {question.way}, {question.decode} {question.tokens} tokens"


def _attempt(step: Callable[[], None]) -> Unmeasured | None:
    try:
        step()
    except Exception as error:  # the traceback, which holds tensors, goes with it
        return problem_of(error)
    return None
