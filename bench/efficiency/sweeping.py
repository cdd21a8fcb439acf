"""A whole sweep: every model at every point; what is stored is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import AdapterError, RegionRecognizer, Task
from adapters.lifecycle import Closes
from bench.config import SweepSpec
from bench.efficiency.asking import Question
from bench.efficiency.contenders import Contender
from bench.efficiency.costing import blank_cost, compute_cost, cost_points, cost_subject
from bench.efficiency.errors import SweepError
from bench.efficiency.hardware import Neighbours
from bench.efficiency.measuring import describe, measure, problem_of
from bench.efficiency.meter import Clock, Meter
from bench.efficiency.records import Record, SpeedRecord, Subject
from bench.efficiency.scenes import Scene, draw_scene
from bench.efficiency.speeds import Circumstances
from bench.efficiency.storing import stored_record, write_record
from bench.efficiency.timing import Effort

Measure = Literal["cost", "speed"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record of the sweep and its file; ``fresh`` if it was made just now."""

    path: Path
    record: Record
    fresh: bool

    @property
    def has_result(self) -> bool:
        """Whether the point holds a cost or a speed."""
        return not isinstance(self.record, SpeedRecord) or self.record.outcome == "measured"

    @property
    def failed(self) -> bool:
        """Whether the point is to be tried again next time."""
        return isinstance(self.record, SpeedRecord) and self.record.outcome == "failed"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something of the sweep that has no record, and why.

    ``lost`` is what should have one; the rest is not to be had.
    """

    reason: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is to be done, and where records go.

    ``again`` does anew what is stored already. ``tell`` hears what is going on.
    """

    name: str
    spec: SweepSpec
    contenders: Sequence[Contender]
    folder: Path
    effort: Effort
    measures: Sequence[Measure]
    neighbours: Neighbours
    again: bool
    tell: Callable[[str], None]
    clock: Clock = time.perf_counter

    def run(self) -> Iterator[Stored | Skipped]:
        """Do it: costs first, then one model after another.

        Raises:
            StoreError: a record cannot be stored or read.
        """
        if "cost" in self.measures:
            for contender in self.contenders:
                yield from self._costs(contender)
        if "speed" in self.measures:
            scenes = self._scenes()
            for contender in self.contenders:
                yield from self._speeds(contender, scenes)

    def _scenes(self) -> list[Scene]:
        regions = max(self.spec.instances)
        return [draw_scene(n, regions, self.spec.picture) for n in range(self.effort.scenes)]

    def _costs(self, contender: Contender) -> Iterator[Stored | Skipped]:
        try:
            subject = cost_subject(contender)
        except SweepError as error:
            yield Skipped(str(error), lost=False)
            return
        for way, instances in cost_points(self.spec):
            blank = blank_cost(contender, subject, self.spec, way, instances)
            if (kept := self._kept(blank)) is not None:
                yield kept
                continue
            self.tell(f"{contender.title}: cost of {instances} {way}")
            try:
                yield self._store(compute_cost(contender, blank))
            except SweepError as error:
                yield Skipped(str(error), lost=False)

    def _speeds(self, contender: Contender, scenes: Sequence[Scene]) -> Iterator[Stored | Skipped]:
        known = self._foretold(contender)
        if known is not None:
            kept, missing = self._sorted(known)
            if not missing:
                yield from kept
                return
        self.tell(f"{contender.title}: loading")
        begun = self.clock()
        try:
            recognizer = contender.choice.load()
        except Exception as error:
            yield from self._unloaded(contender, known, error)
            return
        try:
            yield from self._of_loaded(contender, recognizer, self.clock() - begun, scenes)
        finally:
            if isinstance(recognizer, Closes):
                recognizer.close()
            device = recognizer.card.device
            del recognizer
            Meter(device).release()

    def _of_loaded(
        self,
        contender: Contender,
        recognizer: RegionRecognizer,
        load_seconds: float,
        scenes: Sequence[Scene],
    ) -> Iterator[Stored | Skipped]:
        """All points of a model; those that are decoded alike take turns."""
        card = recognizer.card
        subject, task = contender.subject(card), contender.task(card)
        here = self._circumstances(contender, subject, card.device)
        here = replace(here, load_seconds=load_seconds)
        kept, missing = self._sorted((here, self._questions(task)))
        yield from kept
        meter = Meter(card.device, self.clock)
        for decode in self.spec.decode:
            turn = [question for question in missing if question.decode == decode]
            found = measure(recognizer, meter, turn, scenes, self.effort, self._teller(contender))
            for question, result in found:
                missing.remove(question)
                stored = self._store(here.record(question, result))
                yield stored
                if stored.failed:
                    if missing:
                        left = "; ".join(describe(question) for question in missing)
                        yield Skipped(
                            f"{contender.title}: not asked after the failure: {left}", lost=True
                        )
                    return

    def _unloaded(
        self,
        contender: Contender,
        known: tuple[Circumstances, list[Question]] | None,
        error: Exception,
    ) -> Iterator[Stored | Skipped]:
        """Records of a model that could not be loaded, where it is known without loading."""
        problem = problem_of(error)
        reason = f"it could not be loaded: {problem.reason}"
        if known is None or isinstance(error, AdapterError):
            yield Skipped(f"{contender.title}: {reason}", lost=True)
            return
        here, _ = known
        kept, missing = self._sorted(known)
        yield from kept
        for question in missing:
            yield self._store(here.record(question, problem._replace(reason=reason)))

    def _foretold(self, contender: Contender) -> tuple[Circumstances, list[Question]] | None:
        """The points of a preset, before it is loaded; ``None`` where only loading tells."""
        spec = contender.spec
        try:
            device = resolve_device(spec.device)
            dtype = dtype_name(resolve_dtype(spec.dtype, device))
        except AdapterError:
            return None
        card = contender.card_without_weights(dtype)
        if card is None:
            return None
        here = self._circumstances(contender, contender.subject(card), str(device))
        return here, self._questions(contender.task(card))

    def _circumstances(self, contender: Contender, subject: Subject, device: str) -> Circumstances:
        return Circumstances(contender, subject, device, self.spec, self.effort, self.neighbours)

    def _questions(self, task: Task) -> list[Question]:
        spec = self.spec
        return [
            Question(way, decode, instances, spec.tokens, task)
            for decode in spec.decode
            for way in spec.ways
            for instances in spec.instances
        ]

    def _sorted(
        self, points: tuple[Circumstances, list[Question]]
    ) -> tuple[list[Stored], list[Question]]:
        """What is stored of these points, and what is not; failures are tried again."""
        here, questions = points
        kept, missing = [], []
        for question in questions:
            stored = self._kept(here.blank(question))
            if stored is None or stored.failed:
                missing.append(question)
            else:
                kept.append(stored)
        return kept, missing

    def _kept(self, blank: Record) -> Stored | None:
        if self.again:
            return None
        found = stored_record(self.folder, self.name, blank)
        return None if found is None else Stored(*found, fresh=False)

    def _store(self, record: Record) -> Stored:
        return Stored(write_record(self.folder, self.name, record), record, fresh=True)

    def _teller(self, contender: Contender) -> Callable[[str], None]:
        return lambda message: self.tell(f"{contender.title}: {message}")
