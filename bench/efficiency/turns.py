"""Speeds of a sweep: the models that fit into memory together take turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice

import torch

from adapters.device import DTYPES, dtype_name, resolve_device, resolve_dtype
from adapters.interface import AdapterError, RegionRecognizer, Task
from adapters.lifecycle import Closes
from bench.config import SweepSpec
from bench.efficiency.asking import Question
from bench.efficiency.contenders import Contender
from bench.efficiency.geometry import geometry_of
from bench.efficiency.hardware import Neighbours
from bench.efficiency.measuring import Asked, Measured, describe, measure
from bench.efficiency.meter import Clock, Meter
from bench.efficiency.problems import Unmeasured, problem_of
from bench.efficiency.records import Decode, Geometry
from bench.efficiency.results import Outcome, Shelf, Skipped, Stored
from bench.efficiency.scenes import Scene, draw_scene
from bench.efficiency.speeds import Circumstances
from bench.efficiency.timing import Effort

_LOADS = 3  # a model that failed after as many loads, with nothing measured since, is left
_ROOM = 2  # times a model's weights that must be free for it to join others


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model that waits to be loaded.

    ``questions`` are asked with no other model there: those that found no room beside others, or
    that were left when the model had failed. ``None`` stands for all of the sweep. ``failures``
    counts how often it failed since it gave a result.
    """

    contender: Contender
    questions: tuple[Question, ...] | None = None
    failures: int = 0


@dataclass(slots=True)
class Loaded:
    """A model in memory: what it is still to be asked.

    ``held`` is how many bytes of the device its loading took. ``later`` is asked when it is loaded
    again, alone: what found no room beside others, and what was left when it had failed.
    """

    contender: Contender
    recognizer: RegionRecognizer
    meter: Meter
    held: int
    here: Circumstances
    missing: list[Question] = field(default_factory=list)
    later: list[Question] = field(default_factory=list)
    failures: int = 0

    def close(self) -> None:
        """Give its memory back; it cannot be asked any more."""
        if isinstance(self.recognizer, Closes):
            self.recognizer.close()
        del self.recognizer
        self.meter.release()


@dataclass(frozen=True, slots=True)
class Turns:
    """The speeds of a sweep, as its ``spec`` and ``effort`` say."""

    spec: SweepSpec
    effort: Effort
    neighbours: Neighbours
    shelf: Shelf
    tell: Callable[[str], None]
    clock: Clock

    def run(self, contenders: Sequence[Contender]) -> Iterator[Outcome]:
        """Every point that is not stored, group after group of models that fit into memory.

        Raises:
            StoreError: a record cannot be stored or read.
        """
        regions = max(self.spec.instances)
        drawn = (draw_scene(seed, regions, self.spec.picture) for seed in count())
        scenes = list(islice(drawn, self.effort.scenes))
        waiting = deque(Entrant(contender) for contender in contenders)
        while waiting:
            group: list[Loaded] = []
            try:
                yield from self._gather(waiting, group)
                waiting += yield from self._measure(group, scenes, drawn)
            finally:
                while group:
                    group.pop().close()

    def _gather(self, waiting: deque[Entrant], group: list[Loaded]) -> Iterator[Outcome]:
        """Load the first of those waiting into ``group``, and as many as fit beside it."""
        while waiting and (not group or (self.spec.interleave and not waiting[0].questions)):
            entrant = waiting[0]
            contender = entrant.contender
            known = self._foretold(contender)
            if known is not None:
                kept, missing = self._sorted(known, entrant)
                if not missing:
                    waiting.popleft()
                    yield from kept
                    continue
                if group and not _fits(known[0]):
                    self.tell(f"{contender.title}: no room beside the others; it follows them")
                    return
            self.tell(f"{contender.title}: loading")
            loaded = self._load(contender)
            if isinstance(loaded, Unmeasured):
                Meter(_device(contender)).release()
                if group and loaded.outcome == "out_of_memory":
                    self.tell(f"{contender.title}: no room beside the others; it follows them")
                    return
                waiting.popleft()
                yield from self._unloaded(entrant, known, loaded)
                continue
            waiting.popleft()
            task = contender.task(loaded.recognizer.card)
            kept, loaded.missing = self._sorted((loaded.here, self._questions(task)), entrant)
            yield from kept
            loaded.failures = entrant.failures
            if loaded.missing:
                group.append(loaded)
            else:
                loaded.close()

    def _measure(
        self, group: Sequence[Loaded], scenes: Sequence[Scene], unseen: Iterator[Scene]
    ) -> Generator[Outcome, None, list[Entrant]]:
        """Ask all of a group in turns, points that are decoded alike; who is to be asked alone."""
        for loaded in group:
            others = tuple(other.contender.title for other in group if other is not loaded)
            loaded.here = replace(loaded.here, interleaved=others)
            loaded.meter.others = loaded.meter.held() - loaded.held
        for decode in self.spec.decode:
            turns = {self._asked(loaded, decode): loaded for loaded in group}
            outcomes = measure(list(turns), scenes, unseen, self.effort, self.tell)
            for asked, question, found in outcomes:
                yield from self._finish(turns[asked], question, found)
        return [
            Entrant(loaded.contender, tuple(loaded.later), loaded.failures)
            for loaded in group
            if loaded.later
        ]

    def _asked(self, loaded: Loaded, decode: Decode) -> Asked:
        """A model with its points that are decoded so, and what is known of them."""
        questions = [question for question in loaded.missing if question.decode == decode]
        begun: dict[Question, Measured] = {}
        for question in questions:
            draft = self.shelf.begun(loaded.here.blank(question))
            if draft is not None:
                begun[question] = draft.found
                neighbours = loaded.here.neighbours.joined(
                    draft.point.load_average, draft.point.foreign_processes
                )
                loaded.here = replace(loaded.here, neighbours=neighbours)
        title = loaded.contender.title
        if begun:
            self.tell(f"{title}: going on with rounds measured before, points: {len(begun)}")

        def keep(question: Question, found: Measured) -> None:
            self.shelf.keep(loaded.here.blank(question), found)

        return Asked(title, loaded.recognizer, loaded.meter, questions, begun, keep)

    def _finish(
        self, loaded: Loaded, question: Question, found: Measured | Unmeasured
    ) -> Iterator[Outcome]:
        """Store a point, unless the others may be to blame that it does not fit into memory."""
        loaded.missing.remove(question)
        no_room = isinstance(found, Unmeasured) and found.outcome == "out_of_memory"
        if no_room and loaded.here.interleaved:
            loaded.later.append(question)
            return
        stored = self.shelf.store(loaded.here.record(question, found))
        yield stored
        if stored.has_result:
            loaded.failures = 0
        if not stored.failed:
            return
        # In what state it left model and device is anybody's guess.
        loaded.failures += 1
        loaded.later += loaded.missing
        loaded.missing.clear()
        title = loaded.contender.title
        left = "; ".join(describe(question) for question in loaded.later)
        if left and loaded.failures < _LOADS:
            self.tell(f"{title}: loaded again after the failure for: {left}")
        elif left:
            loaded.later.clear()
            yield Skipped(f"{title}: not asked after failing every time: {left}", lost=True)

    def _load(self, contender: Contender) -> Loaded | Unmeasured:
        try:
            geometry = self._geometry(contender)
            before = Meter(_device(contender)).held()
            begun = self.clock()
            recognizer = contender.choice.load()
        except Exception as error:  # its traceback, which holds tensors, goes with it
            return problem_of(error)
        seconds = self.clock() - begun
        card = recognizer.card
        meter = Meter(card.device, self.clock)
        here = Circumstances(
            contender.subject(card), geometry, card.device, self.effort, self.neighbours, seconds
        )
        return Loaded(contender, recognizer, meter, meter.held() - before, here)

    def _unloaded(
        self,
        entrant: Entrant,
        known: tuple[Circumstances, list[Question]] | None,
        problem: Unmeasured,
    ) -> Iterator[Outcome]:
        """Records of a model that could not be loaded, where it is known without loading."""
        reason = f"it could not be loaded: {problem.reason}"
        if known is None or problem.outcome == "not_possible":
            yield Skipped(f"{entrant.contender.title}: {reason}", lost=True)
            return
        here, _ = known
        kept, missing = self._sorted(known, entrant)
        yield from kept
        for question in missing:
            yield self.shelf.store(here.record(question, problem._replace(reason=reason)))

    def _foretold(self, contender: Contender) -> tuple[Circumstances, list[Question]] | None:
        """The points of a preset, before it is loaded; ``None`` where only loading tells."""
        spec = contender.spec
        try:
            device = resolve_device(spec.device)
            card = contender.card_without_weights(dtype_name(resolve_dtype(spec.dtype, device)))
            geometry = self._geometry(contender)
        except Exception:  # an adapter's own; loading will tell
            return None
        if card is None:
            return None
        subject = contender.subject(card)
        here = Circumstances(subject, geometry, str(device), self.effort, self.neighbours)
        return here, self._questions(contender.task(card))

    def _geometry(self, contender: Contender) -> Geometry:
        settings = contender.spec.settings
        return geometry_of(contender.entry, settings, self.spec.picture, costed=False)

    def _questions(self, task: Task) -> list[Question]:
        spec = self.spec
        return [
            Question(way, decode, instances, spec.tokens, task)
            for decode in spec.decode
            for way in spec.ways
            for instances in spec.instances
        ]

    def _sorted(
        self, points: tuple[Circumstances, list[Question]], entrant: Entrant
    ) -> tuple[list[Stored], list[Question]]:
        """What is stored of these points, and what is to be asked of the entrant."""
        here, questions = points
        if entrant.questions is not None:
            return [], list(entrant.questions)
        kept = {question: self.shelf.kept(here.blank(question)) for question in questions}
        return (
            [stored for stored in kept.values() if stored is not None],
            [question for question, stored in kept.items() if stored is None],
        )


def _device(contender: Contender) -> str:
    """Where a model will be loaded; a program of its own counts as a processor's."""
    try:
        return str(resolve_device(contender.spec.device))
    except AdapterError:
        return "cpu"


def _fits(here: Circumstances) -> bool:
    """Whether a model may be loaded beside others: also its answers take room."""
    meter = Meter(here.device)
    meter.release()
    free = meter.free()
    weights = here.subject.parameters * DTYPES.get(here.subject.dtype, torch.float32).itemsize
    return free is None or _ROOM * weights <= free
