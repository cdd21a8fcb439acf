"""Speed records from what was measured on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bench import provenance
from bench.efficiency.asking import Question
from bench.efficiency.hardware import Neighbours, driver
from bench.efficiency.measuring import Measured
from bench.efficiency.problems import Unmeasured
from bench.efficiency.records import Geometry, SpeedRecord, Subject
from bench.efficiency.timing import AGREEMENT, Effort, summarise


@dataclass(frozen=True, slots=True)
class Circumstances:
    """One model on one device in one sweep: everything its records share.

    ``load_seconds`` is ``None`` before it is loaded, or where that failed; ``interleaved`` are
    the models that it takes turns with.
    """

    subject: Subject
    geometry: Geometry
    device: str
    effort: Effort
    neighbours: Neighbours
    load_seconds: float | None = None
    interleaved: tuple[str, ...] = ()

    def blank(self, question: Question) -> SpeedRecord:
        """A point without results, for its key."""
        hardware = provenance.hardware(self.device)
        return SpeedRecord(
            subject=self.subject,
            geometry=self.geometry,
            way=question.way,
            mode=str(self.subject.settings.get("multi_instance", "")),
            instances=question.instances,
            tokens=question.tokens,
            decode=question.decode,
            effort=self.effort.name,
            outcome="failed",
            interleaved=self.interleaved,
            load_seconds=self.load_seconds,
            device=self.device,
            hardware=hardware,
            driver=driver(self.device),
            attention="",
            threads=torch.get_num_threads(),
            load_average=self.neighbours.load_average,
            foreign_processes=self.neighbours.processes,
            warnings=tuple(self.neighbours.warnings()),
            started=provenance.now(),
            code=provenance.code(),
        )

    def record(self, question: Question, found: Measured | Unmeasured) -> SpeedRecord:
        """The point with its results, or with the reason that it has none."""
        blank = self.blank(question)
        if isinstance(found, Unmeasured):
            return blank.model_copy(update={"outcome": found.outcome, "reason": found.reason})
        laps = found.laps()
        summary = summarise([lap.seconds for lap in laps])
        return blank.model_copy(
            update={
                "outcome": "measured",
                "rounds": tuple(tuple(lap.seconds for lap in laps) for laps in found.rounds),
                "device_seconds": _device_seconds(found),
                "seconds_p50": summary.p50,
                "seconds_p90": summary.p90,
                "seconds_p99": summary.p99,
                "seconds_low": summary.low,
                "seconds_high": summary.high,
                "images_per_second": _rate(1, summary.p50),
                "regions_per_second": _rate(question.instances, summary.p50),
                "first_query_seconds": found.first,
                "warm_up_queries": found.warm_up.queries,
                "stable": found.warm_up.stable,
                "tokens_per_region": found.tokens_per_region(),
                "peak_allocated_bytes": _most([memory.allocated for memory in found.peaks]),
                "peak_reserved_bytes": _most([memory.reserved for memory in found.peaks]),
                "process_rss_bytes": _most([memory.resident for memory in found.peaks]),
                "energy_joules": None if found.joules is None else found.joules / len(laps),
                "audits": found.audits,
                "attention": found.attention,
                "warnings": (*blank.warnings, *_doubts(found, self.effort)),
            }
        )


def _device_seconds(found: Measured) -> tuple[tuple[float, ...], ...] | None:
    rounds = [
        tuple(lap.device_seconds for lap in laps if lap.device_seconds is not None)
        for laps in found.rounds
    ]
    return tuple(rounds) if all(rounds) else None


def _rate(things: int, seconds: float) -> float | None:
    return things / seconds if seconds > 0 else None


def _most(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _doubts(found: Measured, effort: Effort) -> list[str]:
    """What a reader should know before believing the numbers."""
    doubts = []
    if not found.warm_up.stable and effort.name == "full":
        doubts.append(
            f"after {found.warm_up.queries} warm-up queries two windows still differed by more "
            f"than {AGREEMENT:.0%}"
        )
    if not found.audits.outputs_equal:
        doubts.append("the timed answers are not those of a plain call")
    if found.audits.repeatable is False:
        doubts.append(
            "a picture asked again was answered otherwise: the arithmetic of this model on this "
            "device is not repeatable"
        )
    if not found.audits.repeat_ok:
        doubts.append(
            f"a picture asked again took {found.audits.repeat_ratio:.0%} of its first time: "
            "something seems to be kept between queries"
        )
    if found.stops:
        doubts.append(
            f"the sweep was stopped between rounds and went on later, times: {found.stops}"
        )
    if found.unanswerable:
        doubts.append(f"{found.unanswerable} regions could not be seen by the model")
    return doubts
