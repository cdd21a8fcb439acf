"""The frames reports are made of: the only form in which runs enter this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

RUN_COLUMNS = (
    "run",  # "<suite>/<model>/<run id>", unique
    "suite",
    "suite_version",
    "model",
    "adapter",
    "checkpoint",
    "checkpoint_digest",
    "parameters",
    "base_model",
    "licence",
    "dtype",
    "device",
    "settings",  # short text such as "multi_instance=shared-prefix, scale=2"
    "main_metric",
    "protocol",
    "encoder",  # short text such as "all-MiniLM-L6-v2@c9745ed"
    "selection",  # "all 500 images" or "first 10 of 500 images"
    "rank",  # 1 + the runs that are significantly better; missing where it is not ranked
    "ranked",  # how many runs share that ranking
    "full",  # bool: the selection is the whole suite
    "complete",  # bool: every region has a final answer
    "expected",
    "answered",
    "empty",
    "unanswerable",
    "errored",
    "missing",
    "started",  # ISO 8601, UTC
    "seconds",  # wall time of the predictions
    "certified",  # a value of reports.certified.Standing
    "certified_stage",  # where the difference was worst
    "certified_difference",  # the worst one; missing where two shapes differed
    "certified_tolerance",
    "certified_on",  # ISO 8601, UTC
)
SCORE_COLUMNS = ("run", "metric", "protocol", "value", "low", "high", "count")
PUBLISHED_COLUMNS = (
    "method",
    "year",
    "params_b",
    "variant",
    "suite",
    "metric",
    "value",
    "source",
    "table",
    "protocol",
    "set",
)

_POINT_COLUMNS = (
    "sweep",
    "model",  # as the sweep calls it
    "adapter",
    "revision",
    "checkpoint",
    "checkpoint_digest",
    "random_weights",  # bool
    "dtype",
    "settings",  # short text, as of a run
    "prompt",  # what was asked about each region
    "parameters",
    "width",  # of the picture, pixels
    "height",
    "tiles",  # "12+1", "1", or "" where the model cuts none
    "region_tokens",
    "way",  # "together": one query for all regions; "alone": one for each
    "mode",  # of asking together; "" where the model has only one
    "instances",  # regions of the picture
    "tokens",  # generated per region, at most or exactly
)
COST_COLUMNS = (
    *_POINT_COLUMNS,
    "outcome",  # "computed", or why there is no cost: "failed", "not_possible"
    "reason",
    "vision_flops",
    "prefill_flops",
    "decode_flops",
    "kv_cache_bytes",
)
SPEED_COLUMNS = (
    *_POINT_COLUMNS,
    "decode",  # "forced" to so many tokens, or "natural" stop
    "effort",  # "full" or "quick"
    "outcome",  # "measured", or why there is no speed: "out_of_memory", "failed", "not_possible"
    "reason",
    "interleaved",  # other models that took turns with this one
    "queries",  # timed ones
    "seconds_p50",  # end to end, of one picture with all its regions
    "seconds_p90",
    "seconds_p99",
    "seconds_low",  # bootstrap interval of the median
    "seconds_high",
    "device_seconds_p50",
    "images_per_second",
    "regions_per_second",
    "load_seconds",
    "first_query_seconds",
    "stable",
    "tokens_per_region",
    "peak_allocated_bytes",
    "peak_reserved_bytes",
    "process_rss_bytes",
    "energy_joules",
    "outputs_equal",
    "repeat_ratio",
    "repeat_ok",
    "repeatable",  # a picture asked again got the same answers
    "device",  # as torch calls it
    "hardware",  # speeds of two different texts never share a chart
    "driver",
    "attention",
    "threads",
    "load_average",
    "foreign_processes",
    "warnings",
    "started",  # ISO 8601, UTC
    "commit",
)


def _no_costs() -> pd.DataFrame:
    return pd.DataFrame(columns=list(COST_COLUMNS))


def _no_speeds() -> pd.DataFrame:
    return pd.DataFrame(columns=list(SPEED_COLUMNS))


class ReportError(Exception):
    """A frame lacks a column, or the site's folder cannot be written; says which."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything one run's page shows.

    ``manifest`` is the stored manifest as JSON values; ``regions`` and ``categories`` are the
    score frames of ``suites.base.Scores`` (regions: ``region_id, image_id, category, reference,
    text, status`` and float columns ``metric/protocol``; categories: ``category, metric,
    protocol, value, count``).
    """

    run: str
    manifest: Mapping[str, object]
    regions: pd.DataFrame
    categories: pd.DataFrame


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where a run's page comes from: read only when the page has to be written.

    ``digest`` is of everything ``load`` would give: equal digests, equal pages. An empty one
    says nothing, and the page is written anew. Runs of one ``suite_digest`` share pictures and
    are laid side by side; an empty one stands alone.
    """

    run: str
    digest: str
    load: Callable[[], RunReport]
    suite_digest: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a suite, as the sample browser shows it.

    ``width`` and ``height`` are the thumbnail's in pixels; ``jpeg`` is ``None`` where it is not
    shown. ``outlines`` are SVG path data by region id, in tenths of a thumbnail's pixel.
    """

    image_id: str
    width: int
    height: int
    jpeg: bytes | None
    outlines: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SuitePictures:
    """The pictures of one suite's digest, read only when they have to be written.

    ``digest`` is of everything ``load`` would give. ``licence`` is the pictures', ``note`` what a
    reader is told where pictures or outlines are left out. ``load`` gives ``images`` pictures.
    """

    suite_digest: str
    digest: str
    licence: str
    note: str
    images: int
    load: Callable[[], Iterator[Picture]]


@dataclass(frozen=True, slots=True)
class Board:
    """What a site is built from: runs, their scores (long form) and published rows.

    ``costs`` and ``speeds`` are the points of efficiency sweeps, ``pictures`` those of the suites
    that have any.

    Raises:
        ReportError: a frame lacks one of its columns.
    """

    title: str
    runs: pd.DataFrame
    scores: pd.DataFrame
    published: pd.DataFrame
    pages: tuple[PageSource, ...]
    costs: pd.DataFrame = field(default_factory=_no_costs)
    speeds: pd.DataFrame = field(default_factory=_no_speeds)
    pictures: tuple[SuitePictures, ...] = ()

    @property
    def swept(self) -> bool:
        """Whether there is an efficiency sweep to show."""
        return not (self.costs.empty and self.speeds.empty)

    def __post_init__(self) -> None:
        for name, frame, columns in (
            ("runs", self.runs, RUN_COLUMNS),
            ("scores", self.scores, SCORE_COLUMNS),
            ("published", self.published, PUBLISHED_COLUMNS),
            ("costs", self.costs, COST_COLUMNS),
            ("speeds", self.speeds, SPEED_COLUMNS),
        ):
            lacking = [column for column in columns if column not in frame.columns]
            if lacking:
                raise ReportError(f"the {name} frame lacks the column {lacking[0]!r}")
