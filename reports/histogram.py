"""How a run's regions spread over the scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup

from reports.drawing import ACCENT, LABEL, PAPER, TITLE, Caption, drawing, number, text_mark

_WIDTH, _HEIGHT = 340, 150  # a phone's window shows it at hardly less than full size
_BELOW = 47  # room for the labels and the title of the axis
_RIGHT = 14  # and for half of the last label
_TICKS = 5


def histogram(values: Sequence[float], caption: Caption, *, axis: str) -> Markup:
    """Count ``values`` in [0, 1] by twentieths (from below 0 where some are negative)."""
    lowest = min(0.0, float(np.floor(min(values) * 20) / 20))
    edges = np.round(np.arange(lowest, 1.0 + 0.025, 0.05), 2)
    # A cosine of 1 can exceed it by a rounding error.
    counts, _ = np.histogram(np.clip(values, lowest, 1.0), bins=edges)
    highest = int(counts.max())
    ticks = _ticks(highest)
    left = 37 + 6 * len(f"{ticks[-1]:,}")
    return drawing(
        caption,
        left + _WIDTH + _RIGHT,
        _HEIGHT + _BELOW,
        [
            f'<g transform="translate({left}.5,5.5)">',
            *_counts_axis(ticks, highest, left),
            *_scores_axis(lowest),
            text_mark(axis, f'x="{_WIDTH // 2}" y="{_HEIGHT + 35}" {TITLE}'),
            *_bars(counts.tolist(), highest),
            "</g>",
        ],
    )


def _ticks(highest: int) -> list[int]:
    """Up to about five round counts from 0 to ``highest``."""
    rough = max(1.0, highest / _TICKS)
    power = 10.0 ** math.floor(math.log10(rough))
    nearest = min((1, 2, 5, 10), key=lambda step: abs(math.log(step * power / rough)))
    step = max(1, round(nearest * power))
    return list(range(0, highest + 1, step))


def _height(count: float, highest: int) -> float:
    # A good model's few failures would vanish beside the bar at 100.
    return _HEIGHT * math.sqrt(count / highest)


def _counts_axis(ticks: Sequence[int], highest: int, left: int) -> Iterator[str]:
    for tick in ticks:
        y = number(_HEIGHT - _height(tick, highest))
        yield f'<path d="M-5,{y}h5" stroke="var(--rule)"/>'
        yield f'<path d="M0,{y}h{_WIDTH}" stroke="var(--rule)" stroke-dasharray="1,3"/>'
        yield f'<text x="-7" y="{y}" dy="3.5" text-anchor="end" {LABEL}>{tick:,}</text>'
    yield f'<path d="M0,0v{_HEIGHT}" stroke="var(--rule)"/>'
    yield (
        f'<text transform="translate({12 - left},{_HEIGHT // 2}) rotate(-90)" {TITLE}>'
        "regions (square-root scale)</text>"
    )


def _scores_axis(lowest: float) -> Iterator[str]:
    yield f'<path d="M0,{_HEIGHT}h{_WIDTH}" stroke="var(--rule)"/>'
    for tick in range(math.ceil(lowest * 10) * 10, 101, 10):
        x = number(_WIDTH * (tick / 100 - lowest) / (1 - lowest))
        yield f'<path d="M{x},{_HEIGHT}v5" stroke="var(--rule)"/>'
        yield f'<text x="{x}" y="{_HEIGHT + 15}" text-anchor="middle" {LABEL}>{tick}</text>'


def _bars(counts: Sequence[int], highest: int) -> Iterator[str]:
    step = _WIDTH / len(counts)
    for at, count in enumerate(counts):
        if count:
            height = number(_height(count, highest))
            x, wide = number(at * step), number(step)
            yield (
                f'<path d="M{x},{_HEIGHT}h{wide}v-{height}h-{wide}Z" '
                f'fill="{ACCENT}" stroke="{PAPER}"/>'
            )
