"""Small charts drawn by hand as inline SVG, in the page's own inks.

Every run's page has one, and the board several: Vega would take longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup, escape

from reports.text import visible

# The page's style sheet defines these for light, dark and print.
INK = "var(--ink)"
ACCENT = "var(--accent)"
PAPER = "var(--paper)"
MUTED = "var(--muted)"
RULE = "var(--rule)"

LABEL = f'font-size="10.5px" fill="{MUTED}"'
TITLE = f'text-anchor="middle" font-size="11.5px" fill="{MUTED}"'


class Caption(NamedTuple):
    """What a reader who does not see a chart is told; ``identifier`` is unique on its page."""

    identifier: str
    title: str
    description: str


def drawing(caption: Caption, width: float, height: float, marks: Iterable[str]) -> Markup:
    """``marks``, whose texts are escaped already, as a picture titled for screen readers."""
    name = escape(caption.identifier)
    across, down = number(width), number(height)
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{across}" height="{down}" '
        f'viewBox="0 0 {across} {down}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(visible(caption.title))}</title>'
        f'<desc id="{name}-desc">{escape(visible(caption.description))}</desc>'
        f'<g fill="none">{"".join(marks)}</g></svg>'
    )


def text_mark(text: str, attributes: str) -> str:
    """A text, escaped, with SVG attributes that are safe as they are."""
    return f"<text {attributes}>{escape(visible(text))}</text>"


def number(value: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
