"""Reading written pages back: tables as rows of texts, with the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path


@dataclass
class Table:
    """A page's table: its attributes and, per row, the cells' texts and classes."""

    attributes: dict[str, str]
    rows: list[list[str]] = field(default_factory=list)
    caption: str = ""

    def column(self, at: int) -> list[str]:
        """One cell of every row that is wide enough."""
        return [row[at] for row in self.rows if len(row) > at]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._cell: list[str] | None = None
        self._caption = False
        self._body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag in ("td", "th", "tr"):
            self._end_cell()
        if tag == "table":
            self.tables.append(Table(attributes))
        elif tag in ("tbody", "thead"):
            self._body = tag == "tbody"
        elif tag == "tr" and self._body:
            self.tables[-1].rows.append([])
        elif tag in ("td", "th") and self._body:
            self._cell = []
        self._caption = self._caption or tag == "caption"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "tbody", "table"):
            self._end_cell()
        if tag == "table":
            self._body = False
        elif tag == "caption":
            self._caption = False

    def _end_cell(self) -> None:
        """A cell ends where its end tag is, or where the next cell, row or table makes it end."""
        if self._cell is not None:
            self.tables[-1].rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        elif self._caption:
            self.tables[-1].caption += data


def tables(page: Path) -> dict[str, Table]:
    """The page's tables by their ``id`` (those without one by their position)."""
    reader = _read(page)
    return {table.attributes.get("id", str(at)): table for at, table in enumerate(reader.tables)}


def tags(page: Path) -> list[tuple[str, dict[str, str]]]:
    """Every element of the page with its attributes, in order."""
    return _read(page).tags


def _read(page: Path) -> _Reader:
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader
