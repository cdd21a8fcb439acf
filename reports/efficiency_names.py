"""Where the curves' names stand: at their ends, moved apart, with leaders to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.drawing import MUTED
from reports.efficiency_axes import WIDTH, Scales
from reports.efficiency_lines import Line, Reference
from reports.svg import Rows
from reports.text import visible

_LABEL_CHARACTERS = 30
_LABEL_GAP = 15.0
LABELS_AT = WIDTH + 26.0


def names_beside(
    lines: Sequence[Line], references: Sequence[Reference], axes: Scales
) -> tuple[Rows, Rows]:
    """The names at the curves' ends, moved apart, and the leaders to them."""
    ends = [
        (
            line.places[-1].value,
            line.end,
            named(line),
            line.style.ink,
        )
        for line in lines
    ] + [
        (reference.places[-1].value, reference.places[-1].instances, reference.label, MUTED)
        for reference in references
    ]
    wanted = [axes.y(end[0]) for end in ends]
    names, leaders = [], []
    for (value, n, label, ink), at, moved in zip(ends, wanted, spread(wanted), strict=True):
        beside = axes.instances_at(LABELS_AT)
        names.append({"label": label, "n": beside, "value": axes.value_at(moved), "ink": ink})
        if n < max(axes.instances) or abs(moved - at) > 1:
            before = axes.instances_at(LABELS_AT - 4)
            step = axes.instances_at(max(axes.x(n) + 8, LABELS_AT - 18))
            if n < max(axes.instances):
                leaders.append(_leader(axes.instances_at(axes.x(n) + 8), value, step, value, ink))
            leaders.append(_leader(step, value, before, axes.value_at(moved), ink))
    return names, leaders


def _leader(n: float, value: float, n2: float, value2: float, ink: str) -> Mapping[str, object]:
    return {"n": n, "value": value, "n2": n2, "value2": value2, "ink": ink}


def spread(wanted: Sequence[float], gap: float = _LABEL_GAP) -> list[float]:
    """Positions at least ``gap`` apart, in the order of ``wanted`` and as near to it as can be.

    None lies above half a gap. Neighbours that are too close form a block around the mean of what
    its members want.
    """
    blocks: list[list[int]] = []
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        blocks.append([index])
        while len(blocks) > 1 and _top(blocks[-1], wanted, gap) < _top(
            blocks[-2], wanted, gap
        ) + gap * len(blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    moved = [0.0] * len(wanted)
    lowest = gap / 2
    for block in blocks:
        top = max(_top(block, wanted, gap), lowest)
        for at, index in enumerate(block):
            moved[index] = top + at * gap
        lowest = top + len(block) * gap
    return moved


def _top(block: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return sum(wanted[i] - at * gap for at, i in enumerate(block)) / len(block)


def named(line: Line) -> str:
    """A curve's name, shortened, and why it stops."""
    return short(line.label) + (f" – {line.stopped}" if line.stopped else "")


def short(label: str) -> str:
    """A name on one line, and no longer than there is room for."""
    shown = " ".join(visible(label).split())
    return shown if len(shown) <= _LABEL_CHARACTERS else f"{shown[: _LABEL_CHARACTERS - 1]}…"
