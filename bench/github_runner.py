"""A runner of GitHub Actions reads what is printed: lines that look like commands are obeyed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

# A command begins with :: after blanks, or, of the older form, with ##[ anywhere in a line.
_COMMAND = re.compile(r"(^|[\r\n])(\s*)::|##\[")


def on_github(environment: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def harmless(text: str) -> str:
    """The text; in a job of GitHub Actions with a blank inside whatever would be a command."""
    return _COMMAND.sub(_split, text) if on_github(os.environ) else text


def _split(found: re.Match[str]) -> str:
    return "## [" if found[1] is None else f"{found[1]}{found[2]}: :"
