"""Untrusted text made safe to show: model output, labels and names as text, whatever they hold."""

from __future__ import annotations

from typing import NamedTuple

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"}
_UNSHOWABLE = {
    **_CONTROL_PICTURES,
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}
_FORMULA_STARTS = tuple("=+-@\t\n＝＋－＠")


class Excerpt(NamedTuple):
    """A text cut to what a table cell can hold.

    ``short`` fits the cell; ``full`` is shown on demand and is ``None`` where ``short`` is all;
    ``hidden`` counts the characters that even ``full`` leaves out.
    """

    short: str
    full: str | None
    hidden: int


def visible(text: str) -> str:
    """Replace what HTML, SVG and CSV cannot carry by a visible stand-in.

    Control characters become their control pictures (NUL → ␀), C1 controls and lone surrogates
    the replacement character; tabs and line ends stay. Markup is left to the template's
    escaping, direction marks to ``<bdi>``.
    """
    return text if text.isprintable() else text.translate(_UNSHOWABLE)


def excerpt(text: str, *, cell: int = 120, lines: int = 1, page: int = 4000) -> Excerpt:
    """Cut ``text`` to ``cell`` characters on ``lines`` lines, keeping ``page`` to unfold."""
    shown = visible(text)
    if len(shown) <= cell and shown.count("\n") < lines:
        return Excerpt(shown, None, 0)
    short = " ".join(shown[: 2 * cell].split())[:cell]
    return Excerpt(f"{short}…", shown[:page], max(0, len(shown) - page))


def csv_text(text: str) -> str:
    """``text`` for a spreadsheet's cell.

    A spreadsheet runs a cell that begins with ``= + - @`` (or their full-width forms, a tab or a
    line end) as a formula; such a text gets a leading apostrophe, which spreadsheets hide (OWASP,
    "CSV Injection"). The JSON beside every CSV holds the text unchanged.
    """
    shown = visible(text)
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown
