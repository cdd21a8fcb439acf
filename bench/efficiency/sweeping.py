"""A whole sweep: every model at every point; what is stored is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.config import SweepSpec
from bench.efficiency.contenders import Contender
from bench.efficiency.costing import blank_cost, compute_cost, cost_points, cost_subject
from bench.efficiency.errors import SweepError
from bench.efficiency.hardware import Neighbours
from bench.efficiency.meter import Clock
from bench.efficiency.problems import problem_of
from bench.efficiency.results import Outcome, Shelf, Skipped
from bench.efficiency.timing import Effort
from bench.efficiency.turns import Turns

Measure = Literal["cost", "speed"]


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

    def run(self) -> Iterator[Outcome]:
        """Do it: costs first, model after model, then speeds.

        Raises:
            StoreError: a record cannot be stored or read.
        """
        shelf = Shelf(self.folder, self.name, self.again)
        if "cost" in self.measures:
            for contender in self.contenders:
                yield from self._costs(contender, shelf)
        if "speed" in self.measures:
            turns = Turns(self.spec, self.effort, self.neighbours, shelf, self.tell, self.clock)
            yield from turns.run(self.contenders)

    def _costs(self, contender: Contender, shelf: Shelf) -> Iterator[Outcome]:
        try:
            subject = cost_subject(contender)
            blanks = [
                blank_cost(contender, subject, self.spec, way, instances)
                for way, instances in cost_points(self.spec)
            ]
        except SweepError as error:
            yield Skipped(str(error), lost=False)
            return
        except Exception as error:  # an adapter's own: the other models can be computed
            reason = problem_of(error).reason
            yield Skipped(f"{contender.title}: no cost could be computed: {reason}", lost=True)
            return
        for blank in blanks:
            kept = shelf.kept(blank)
            if kept is None:
                self.tell(f"{contender.title}: cost of {blank.instances} {blank.way}")
                kept = shelf.store(compute_cost(contender, blank))
            yield kept
