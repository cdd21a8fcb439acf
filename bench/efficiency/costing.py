"""Computed costs of a sweep's models."""

from __future__ import annotations

from collections.abc import Iterator

from bench.config import SweepSpec
from bench.efficiency.contenders import Contender
from bench.efficiency.errors import SweepError
from bench.efficiency.geometry import geometry_of
from bench.efficiency.problems import problem_of
from bench.efficiency.records import CostRecord, Subject, Way


def cost_subject(contender: Contender) -> Subject:
    """The model as cost records name it: nothing of it is loaded.

    Raises:
        SweepError: it has no cost that could be computed.
        Exception: whatever building it without weights raises besides adapters' own errors.
    """
    spec = contender.spec
    if contender.entry.coster is None:
        raise SweepError(
            f"{contender.name}: adapter {contender.entry.name!r} cannot compute its cost; "
            "measure its speed"
        )
    if spec.preset is None:
        raise SweepError(
            f"{contender.name}: costs are computed for presets, not for checkpoints; give one of: "
            f"{', '.join(contender.entry.presets)}"
        )
    card = contender.card_without_weights(spec.dtype)
    if card is None:
        raise SweepError(
            f"{contender.name}: preset {spec.preset!r} cannot be built on the meta device with "
            f"dtype {spec.dtype!r} and the settings given"
        )
    return contender.subject(card)


def cost_points(sweep: SweepSpec) -> Iterator[tuple[Way, int]]:
    """The points of every model, in the order they are computed."""
    yield from ((way, instances) for way in sweep.ways for instances in sweep.instances)


def blank_cost(
    contender: Contender, subject: Subject, sweep: SweepSpec, way: Way, instances: int
) -> CostRecord:
    """A point without its results, for its key.

    Raises:
        Exception: whatever the adapter raises instead of saying how it cuts the picture.
    """
    return CostRecord(
        subject=subject,
        geometry=geometry_of(contender.entry, contender.spec.settings, sweep.picture, costed=True),
        way=way,
        mode=str(subject.settings.get("multi_instance", "")),
        instances=instances,
        tokens=sweep.tokens,
        outcome="failed",
        parameters=subject.parameters,
    )


def compute_cost(contender: Contender, blank: CostRecord) -> CostRecord:
    """The point with its results, or why it has none, such as for want of context."""
    spec, geometry = contender.spec, blank.geometry
    try:
        found = contender.entry.cost(
            str(spec.preset),
            instances=blank.instances,
            tokens=blank.tokens,
            size=(geometry.width, geometry.height),
            way=blank.way,
            dtype=spec.dtype,
            **spec.settings,
        )
    except Exception as error:
        problem = problem_of(error)
        outcome = "not_possible" if problem.outcome == "not_possible" else "failed"
        return blank.model_copy(update={"outcome": outcome, "reason": problem.reason})
    return blank.model_copy(
        update={
            "outcome": "computed",
            "vision_flops": found.vision,
            "prefill_flops": found.prefill,
            "decode_flops": found.decode,
            "kv_cache_bytes": found.kv_cache_bytes,
        }
    )
