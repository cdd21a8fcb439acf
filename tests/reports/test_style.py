"""The inks are readable on their papers, light and dark (WCAG 2.2, AA: 4.5 to 1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAIRS = [
    (ink, paper) for ink in ("ink", "muted", "accent", "warn") for paper in ("paper", "faint")
] + [("warn", "warn-paper")]


def palettes(repository: Path) -> dict[str, dict[str, str]]:
    style = (repository / "reports" / "templates" / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for name, block in (("light", light), ("dark", dark))
    }


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_is_readable_on_its_paper(repository: Path, scheme: str, ink: str, paper: str) -> None:
    palette = palettes(repository)[scheme]
    darker, lighter = sorted((luminance(palette[ink]), luminance(palette[paper])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
