"""What GitHub Actions understands: workflow commands, a job's summary, and a step's outputs.

See https://docs.github.com/actions/reference/workflow-commands-for-github-actions. A runner takes
every printed line that looks like a command for one. Texts with names in them that others chose
are therefore printed between ``stop-commands`` and a token that nobody can guess, and names inside
commands are escaped.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.gating.checks import Verdict
from bench.gating.judging import Judgement
from bench.gating.rules import Outcome
from bench.gating.telling import COLUMNS, describe, rows, sentence

TITLE = "bench gate"
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_LEGACY = "##["  # begins a command anywhere in a line


@contextmanager
def without_commands(say: Callable[[str], object]) -> Iterator[None]:
    """Whatever is printed inside is text to the runner."""
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    try:
        yield
    finally:
        say(f"::{token}::")


def harmless_json(text: str) -> str:
    """The same JSON without anything that a runner takes for a command."""
    return text.replace(_LEGACY, "##\\u005b")


def workflow_command(level: str, title: str, message: str) -> str:
    """An annotation of the job, its texts escaped; ``level`` is error, warning or notice."""
    return f"::{level} title={_property(title)}::{_data(message)}"


def commands(judgement: Judgement) -> list[str]:
    """A workflow command per check that fails the gate or nearly does, or one that it passed."""
    found = []
    for check in judgement.checks:
        allowed = check.verdict is Verdict.INCONCLUSIVE and judgement.allow_inconclusive
        if check.verdict is not Verdict.PASS:
            level = "error" if check.counts and not allowed else "warning"
            found.append(
                workflow_command(level, f"{TITLE}: {check.verdict.value}", describe(check))
            )
    outcome = judgement.outcome
    level = "notice" if outcome is Outcome.PASSED else "error"
    if outcome in (Outcome.PASSED, Outcome.NOTHING):
        found.append(workflow_command(level, f"{TITLE}: {outcome.value}", sentence(judgement)))
    return found


def write_summary(path: Path, judgement: Judgement) -> None:
    """Append the judgement to a job's summary; raises ``OSError``."""
    with path.open("a", encoding="utf-8") as file:
        file.write(markdown(judgement))


def write_outputs(path: Path, judgement: Judgement) -> None:
    """Append ``verdict`` and ``exit-code`` to a step's outputs; raises ``OSError``."""
    outcome = judgement.outcome
    with path.open("a", encoding="utf-8") as file:
        file.write(f"verdict={outcome.value}\nexit-code={int(outcome.exit_code)}\n")


def markdown(judgement: Judgement) -> str:
    """The judgement as a heading, a sentence and a table."""
    lines = [f"### {TITLE}: {judgement.outcome.value}", "", _escaped(sentence(judgement)), ""]
    table = rows(judgement)
    if table:
        lines += [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
        lines += [_line(map(_escaped, row)) for row in table]
        lines.append("")
    return "\n".join(lines) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _line(cells: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no table cells, markup, links or HTML of its own."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)
