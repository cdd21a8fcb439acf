"""Templates as pages: one environment, links that work from any depth, untrusted text escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from reports import formatting, paths
from reports.families import suite_title
from reports.records import Score
from reports.text import visible

_COMMAND = re.compile(r"`(bench [^`\n]+)`")
_WHOLE = 40
"""A longer piece of a path may break anywhere."""

_OPTIONAL = re.compile(rb"(?:</t[dhr]>\n?|\n)(?=<t[dhr][ >])|</t[dhr]>\n?(?=</t)")


def render(template: str, *, page: str, **content: object) -> bytes:
    """The template as a page of the site; ``page`` is its path there, for its links."""

    def link(target: str) -> str:
        return paths.relative(target, page)

    return _environment().get_template(template).render(link=link, **content).encode("utf-8")


def light(page: bytes) -> bytes:
    """The page without the end tags and line ends that HTML lets a table's rows leave out."""
    return _OPTIONAL.sub(b"", page)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    script = asset("enhance.js")
    environment.globals |= {
        "style": Markup(asset("style.css")),
        "script": Markup(script),
        "script_hash": digest(script),
        "run_page": paths.run_page,
        "run_stem": paths.run_stem,
    }
    environment.filters |= {
        "points": formatting.points,
        "value": _value,
        "interval": _interval,
        "thousands": formatting.thousands,
        "parameters": formatting.parameters,
        "billions": formatting.billions,
        "duration": formatting.duration,
        "words": formatting.words,
        "suite_title": suite_title,
        "path": _path,
        "commands": _commands,
    }
    return environment


def _interval(score: Score | None) -> str:
    """A score's interval in points; "" where there is none."""
    if score is None or score.low is None or score.high is None:
        return ""
    return formatting.interval(score.low, score.high)


_NO_VALUE = Markup('<span class="none">–</span>')


def _value(number: float | None) -> Markup:
    """A cell's number in points; no macro, as a page has hundreds of them."""
    return _NO_VALUE if number is None else Markup(formatting.points(number))


def _path(identifier: str) -> Markup:
    """An id that may be broken at its slashes only."""
    return Markup("<wbr>").join(
        Markup('<span class="whole">{}</span>').format(piece) if len(piece) <= _WHOLE else piece
        for piece in re.findall(r"[^/]*/|[^/]+", visible(identifier))
    )


def _commands(message: str) -> Markup:
    """One of this program's messages, the commands it names in backticks as code.

    Other backticks stay: a message may quote a prompt or a name.
    """
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(visible(message)))))


def digest(script: str) -> str:
    """What a page's security policy names its script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def asset(name: str) -> str:
    """A style sheet or script that pages carry within them."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")
