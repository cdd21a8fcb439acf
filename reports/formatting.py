"""Numbers as the pages print them."""

from __future__ import annotations


def points(value: float) -> str:
    """A score in [-1, 1] as points: ``0.89714`` → ``"89.71"``."""
    return f"{value * 100:.2f}".replace("-0.00", "0.00")


def interval(low: float, high: float) -> str:
    """A 95 % interval in points: ``"[88.90, 90.41]"``."""
    return f"[{points(low)}, {points(high)}]"


def thousands(number: int) -> str:
    """``4004`` → ``"4,004"``."""
    return f"{number:,}"


def parameters(number: int) -> str:
    """A parameter count to three figures: ``938123456`` → ``"938 M"``."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        # 999.5 of a unit already rounds to 1.00 of the next.
        if number >= size * 0.9995:
            scaled = number / size
            return f"{scaled:.{max(0, 2 - (scaled >= 9.995) - (scaled >= 99.95))}f} {unit}"
    return str(number)


def billions(number: float) -> str:
    """A published size in billions as printed there: ``1.5`` → ``"1.5 B"``."""
    return f"{number:g} B"


def duration(seconds: float) -> str:
    """Wall time: ``"0.8 s"``, ``"42 s"``, ``"3 min 05 s"``, ``"2 h 07 min"``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def words(identifier: str) -> str:
    """A metric's name for readers: ``"semantic_iou[macro]"`` → ``"Semantic IoU, macro"``."""
    name, bracket, group = identifier.partition("[")
    first, *others = name.split("_")
    spelled = [
        _SPELLINGS.get(first, f"{first[:1].upper()}{first[1:]}"),
        *(_SPELLINGS.get(w, w) for w in others),
    ]
    suffix = f", {group.removesuffix(']')}" if bracket else ""
    return f"{' '.join(spelled)}{suffix}"


_SPELLINGS = {"iou": "IoU", "miou": "mIoU", "pq": "PQ", "sq": "SQ", "rq": "RQ", "lvis": "LVIS"}
