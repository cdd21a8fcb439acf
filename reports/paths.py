"""Where pages lie in the site: names that every file system and URL takes."""

from __future__ import annotations

import hashlib
import re
from functools import cache

INDEX = "index.html"
EFFICIENCY = "efficiency.html"

_PLAIN = re.compile(r"[A-Za-z0-9_=+](?:[A-Za-z0-9._=+-]{0,98}[A-Za-z0-9_=+-])?")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
"""Names that are no files on Windows, whatever comes after a dot."""


def slug(name: str) -> str:
    """``name`` itself where it is a plain file name, else a readable form ending in a digest."""
    return name if _plain(name) else _digested(name)


def caseless(name: str) -> str:
    """As :func:`slug`, for many names of one folder: none differ from each other in case alone."""
    return name if _plain(name) and name == name.lower() else _digested(name)


def _plain(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and not _DEVICES.fullmatch(name)


def _digested(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    readable = re.sub(r"[^A-Za-z0-9_=+]+", "-", name).strip("-")[:60]
    return f"{readable}-{digest}" if readable else digest


@cache
def run_stem(run: str) -> str:
    """The path of a run's files without their suffix: ``runs/<suite>/<model>/<run id>``."""
    return "/".join(["runs", *(slug(part) for part in run.split("/"))])


def run_page(run: str) -> str:
    """The path of a run's page in the site."""
    return f"{run_stem(run)}.html"


def relative(target: str, page: str) -> str:
    """The link from ``page`` to ``target``, both paths in the site."""
    here, there = page.split("/")[:-1], target.split("/")
    while here and len(there) > 1 and here[0] == there[0]:
        del here[0], there[0]
    return "/".join([".."] * len(here) + there)
