"""What ``bench run --dry-run`` says: what would run, on what, and about how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from bench.choices import ModelChoice, SuiteChoice
from bench.config import Config
from bench.exit_codes import ExitCode
from bench.manifest import Manifest
from bench.output import note, print_json, print_table
from bench.store import StoredRun, stored_runs
from suites.base import Selection, Suite


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One model on one suite.

    ``answered`` counts regions an earlier run of the same declaration has final answers for;
    whether checkpoint and pictures are still the same, the run itself finds out.
    ``seconds`` is an estimate from the speed of earlier sessions, or ``None``.
    """

    model: str
    adapter: str
    checkpoint: str
    device: str
    suite: str
    images: int
    regions: int
    answered: int
    seconds: float | None


def make_plan(
    config: Config,
    models: Sequence[ModelChoice],
    suites: Sequence[SuiteChoice],
    selection: Selection,
) -> list[PlannedRun]:
    """Plan every model on every suite; opens the suites, loads no model.

    Raises:
        DeviceError: a model's device is not on this machine.
        SuiteError: a suite cannot be opened.
    """
    stored = [(run, run.manifest()) for run in stored_runs(config.runs)]
    opened = [(choice, choice.load(config.cache)) for choice in suites]
    return [
        _planned(model, choice, suite, selection, stored)
        for model in models
        for choice, suite in opened
    ]


def show_plan(plan: Sequence[PlannedRun], *, as_json: bool) -> ExitCode:
    """Print a plan; the exit code says whether there is anything to measure."""
    if as_json:
        print_json({"runs": [asdict(run) for run in plan]})
    else:
        print_table(
            ("model", "checkpoint", "device", "suite", "images", "regions", "answered", "time"),
            [
                (
                    *(run.model, run.checkpoint, run.device, run.suite),
                    *(run.images, run.regions, run.answered, _duration(run)),
                )
                for run in plan
            ],
        )
        note("nothing was asked")
    return ExitCode.FINE if any(run.regions for run in plan) else ExitCode.INCOMPLETE


def _planned(
    model: ModelChoice,
    choice: SuiteChoice,
    suite: Suite,
    selection: Selection,
    stored: Sequence[tuple[StoredRun, Manifest]],
) -> PlannedRun:
    from adapters.device import resolve_device

    references = suite.references(selection)
    answered: set[str] = set()
    for run, manifest in stored:
        same_suite = manifest.suite.digest == suite.digest
        if same_suite and manifest.model.declared == model.declared():
            answered |= run.answered().keys()
    done = int(references["region_id"].isin(answered).sum())
    device = str(resolve_device(model.spec.device))
    speed = _regions_per_second(_sessions_like(model, choice, device, stored))
    left = len(references) - done
    return PlannedRun(
        model=model.name,
        adapter=model.spec.adapter,
        checkpoint=model.spec.checkpoint or model.spec.preset or "",
        device=device,
        suite=choice.name,
        images=selection.count(len(suite)),
        regions=len(references),
        answered=done,
        seconds=0.0 if left == 0 else None if speed is None else round(left / speed, 1),
    )


def _sessions_like(
    model: ModelChoice,
    choice: SuiteChoice,
    device: str,
    stored: Sequence[tuple[StoredRun, Manifest]],
) -> Iterator[tuple[int, float]]:
    """Regions and seconds of this model's earlier sessions on this device and suite's kind."""
    for _, manifest in stored:
        if manifest.model.name == model.name and manifest.suite.kind == choice.kind:
            for session in manifest.sessions:
                if session.device == device:
                    yield session.regions_asked, session.seconds


def _regions_per_second(sessions: Iterator[tuple[int, float]]) -> float | None:
    pairs = [(regions, seconds) for regions, seconds in sessions if regions and seconds > 0]
    if not pairs:
        return None
    return sum(regions for regions, _ in pairs) / sum(seconds for _, seconds in pairs)


def _duration(run: PlannedRun) -> str:
    if run.seconds is None:
        return "unknown (no earlier run)"
    if run.seconds == 0:
        return "nothing left to ask"
    if run.seconds < 1:
        return "under a second"
    return f"about {timedelta(seconds=round(run.seconds))}"
