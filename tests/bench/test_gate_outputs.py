"""What the gate tells people, JUnit readers and GitHub, whatever names it is given."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.gating.baselines import Against
from bench.gating.checks import Check, Kind, Verdict
from bench.gating.contents import Baseline
from bench.gating.github import commands, markdown, workflow_command
from bench.gating.judging import Judgement
from bench.gating.junit import junit
from bench.gating.telling import COLUMNS, one_line, rows, sentence
from bench.manifest import FILE_NAME
from bench.output import note, warn
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
HOSTILE = (
    "\n::stop-commands::pwned\n",
    "::error::fake",
    "\r\n##[stop-commands]pwned",
    "##[set-output name=verdict]passed",
    "a\u2028::warning::fake\u0085::notice::fake",
    "| x | `y` |",
    "<img src=x onerror=alert(1)> </script> &amp; \"'",
    "[link](https://example.com) ![](https://example.com/x.png) www.example.com",
    "%0A::error::fake",
    "\x00\x08\x1b[31m\ud800\uffff",
    "\\|\\",
)
GOOD = Check(
    kind=Kind.QUALITY,
    subject="m on s",
    name="pq",
    verdict=Verdict.PASS,
    baseline=0.5,
    run=0.49,
    difference=-0.01,
    low=-0.02,
    high=0.001,
    tolerance="1 points",
)
WORSE = replace(GOOD, verdict=Verdict.REGRESSION, difference=-0.05)
OPEN = replace(GOOD, verdict=Verdict.INCONCLUSIVE, reason="wide")
LOST = Check(Kind.COMPLETENESS, "m on s", "completeness", Verdict.INCOMPLETE, "no run")
SLOWER = replace(WORSE, kind=Kind.SPEED, name="2 regions", difference=0.25, low=None, high=None)
ELSEWHERE = Check(Kind.SPEED, "m", "2 regions", Verdict.NOT_COMPARABLE, "other", counts=False)
checks = st.lists(
    st.builds(
        Check,
        kind=st.sampled_from(Kind),
        subject=st.text() | st.sampled_from(HOSTILE),
        name=st.text() | st.sampled_from(HOSTILE),
        verdict=st.sampled_from(Verdict),
        reason=st.text() | st.sampled_from(HOSTILE),
        counts=st.booleans(),
    ).filter(lambda check: check.counts or not check.measured),
    max_size=5,
)


def judgement(*found: Check, allow_inconclusive: bool = False) -> Judgement:
    return Judgement("baseline.json", found, allow_inconclusive)


def obeyed(lines: str) -> list[str]:
    """The commands that GitHub's runner takes from what a step prints, stopped ones left out.

    As in ``ActionCommandManager``: a command begins with ``::`` after blanks, or, of the older
    form, with ``##[`` anywhere; all else waits for the token.
    """
    token, found = "", []
    for line in re.split("\r\n|\r|\n", lines):
        text = line.strip()
        if token:
            token = "" if text == f"::{token}::" else token
        elif stop := re.fullmatch(r"::stop-commands::(.+)", text):
            token = stop[1]
        elif re.match(r"::[^:]+.*::", text) or "##[" in text:
            found.append(line)
    assert not token, "nobody goes on listening to commands"
    return found


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([GOOD], "Passed: 1 score compared with baseline.json."),
        ([GOOD, ELSEWHERE], "Passed: 1 score compared with baseline.json."),
        (
            [GOOD, WORSE, SLOWER],
            "Regression: pq of m on s is 5.00 points worse, tolerated are 1 points (and 1 more).",
        ),
        ([LOST, GOOD], "Incomplete: m on s: no run."),
        ([OPEN], "Inconclusive: pq of m on s: wide."),
        ([ELSEWHERE], "Nothing was measured: no score or speed could be compared."),
        ([], "Nothing was measured: the baseline is empty."),
    ],
)
def test_one_sentence_says_it_all(found: list[Check], told: str) -> None:
    assert sentence(judgement(*found)) == told


def test_a_row_says_what_was_compared() -> None:
    assert rows(judgement(GOOD)) == [
        ("m on s", "pq", "50.00", "49.00", "-1.00 [-2.00, +0.10]", "1 points", "pass")
    ]
    (slower,) = rows(judgement(replace(SLOWER, baseline=0.2, run=0.25)))
    assert slower[2:5] == ("200.0 ms", "250.0 ms", "+25.0%")
    (elsewhere,) = rows(judgement(ELSEWHERE))
    assert elsewhere[-1] == "not comparable (not required): other"


@given(st.text())
def test_names_are_one_line_that_can_be_printed(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert "Cc" not in {unicodedata.category(character) for character in shown}
    assert len(shown.encode("utf-8")) >= len(shown)


@given(checks, st.booleans())
def test_junit_is_xml_that_agrees_with_the_outcome(found: list[Check], allowed: bool) -> None:
    judged = judgement(*found, allow_inconclusive=allowed)
    root = ET.fromstring(junit(judged))
    assert root.tag == "testsuites"
    for element in (root, *root):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(element.attrib[attribute]) == len(list(element.iter(tag)))
    failures, errors = int(root.attrib["failures"]), int(root.attrib["errors"])
    assert int(root.attrib["tests"]) >= len(found)
    code = judged.outcome.exit_code
    if code == 0:
        assert failures == errors == 0
    else:
        assert failures + errors > 0
    assert (code == 1) == (failures > 0)


def test_junit_tells_every_case() -> None:
    root = ET.fromstring(junit(judgement(GOOD, WORSE, LOST, OPEN, ELSEWHERE)))
    first, second = root.findall("testsuite")
    assert first.attrib["name"] == "bench gate: m on s"
    assert [len(case.findall("failure")) for case in first] == [0, 1, 0, 0]
    assert [case.find("error") is not None for case in first] == [False, False, True, True]
    assert second.attrib["skipped"] == "1"
    told = first[0].findtext("system-out")
    assert told is not None
    assert "baseline 50.00, run 49.00" in told
    (empty,) = ET.fromstring(junit(judgement())).iter("error")
    assert empty.attrib["type"] == "nothing measured"


def test_annotations_say_what_failed() -> None:
    assert commands(judgement(GOOD)) == [
        "::notice title=bench gate%3A passed::Passed: 1 score compared with baseline.json."
    ]
    assert commands(judgement(GOOD, WORSE, LOST, ELSEWHERE)) == [
        "::error title=bench gate%3A regression::"
        "pq of m on s is 5.00 points worse, tolerated are 1 points",
        "::error title=bench gate%3A incomplete::m on s: no run",
        "::warning title=bench gate%3A not comparable::2 regions of m: other",
    ]
    assert commands(judgement(OPEN, allow_inconclusive=True))[0].startswith("::warning ")
    assert commands(judgement())[0].startswith("::error title=bench gate%3A nothing measured::")


def test_a_command_is_escaped_as_github_asks() -> None:
    found = workflow_command("error", "a:b,c%\r\n", "x:y,%\r\n::error::z")
    assert found == "::error title=a%3Ab%2Cc%25%0D%0A::x:y,%25%0D%0A::error::z"


@given(checks)
def test_an_annotation_is_one_command_whatever_it_says(found: list[Check]) -> None:
    for line in commands(judgement(*found)):
        assert re.match(r"::(error|warning|notice) title=bench gate%3A [a-z ]+::", line)
        assert len(line.splitlines()) == 1
        assert "%0A" not in line.replace("%250A", "")


@given(checks)
def test_the_summary_is_a_table_of_plain_text(found: list[Check]) -> None:
    judged = judgement(*found)
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(judged))
    tags = set(re.findall(r"<(\w+)", rendered))
    assert tags <= {"h3", "p", "table", "thead", "tbody", "tr", "th", "td"}
    table = rows(judged)
    cells = re.findall(r"<td>(.*?)</td>", rendered, flags=re.DOTALL)
    assert len(cells) == len(COLUMNS) * len(table)
    shown = [" ".join(html.unescape(cell).split()) for cell in cells]
    assert shown == [
        " ".join(cell.replace("\0", "\ufffd").split()) for row in table for cell in row
    ]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that finds a regression in a model of every hostile name."""
    hostile = [replace(WORSE, subject=name, name=name, reason=name) for name in HOSTILE]
    against = Against(Baseline({}, {}), "baseline.json", file=True)
    monkeypatch.setattr("bench.gating.baselines.find_baseline", lambda *a: against)
    monkeypatch.setattr("bench.gating.judging.judge", lambda *a, **k: judgement(*hostile, LOST))


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_name_gives_the_runner_commands(
    bench: Bench,
    workplace: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str],
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(workplace / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(workplace / "summary.md"))
    assert bench("gate", *words) == 1
    shown = capsys.readouterr()
    found = obeyed(shown.out) + obeyed(shown.err)
    assert len(found) == len(HOSTILE) + 1
    assert all(line.startswith("::error title=bench gate%3A") for line in found)
    assert (workplace / "outputs").read_text() == "verdict=regression\nexit-code=1\n"
    assert (workplace / "summary.md").read_text().startswith("### bench gate: regression\n")
    if words:
        told = json.loads(shown.out)
        assert [check["name"] for check in told["checks"][:-1]] == list(HOSTILE)


@pytest.mark.parametrize("name", [n for n in HOSTILE if "\x00" not in n])
def test_no_error_gives_the_runner_commands(
    bench: Bench, capsys: Captured, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for words in (
        ("gate", "--baseline", name),
        ("gate", "--baseline", f"x{name}", "--json"),
        ("gate", "--tolerance", name),
        ("compare", name, "x"),
        (f"{name}",),
    ):
        assert bench(*words) == 2, words
        shown = capsys.readouterr()
        assert not obeyed(shown.out) + obeyed(shown.err), words


def test_no_stored_name_gives_the_runner_commands_by_an_error(
    bench: Bench, workplace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    run = workplace / "runs" / "shapes" / "x\n::error::pwned" / "y"
    run.mkdir(parents=True)
    (run / FILE_NAME).write_text("{}")
    assert bench("gate", "--baseline", "x") == 2
    err = capsys.readouterr().err
    assert "pwned" in err
    assert not obeyed(err)
    monkeypatch.delenv("GITHUB_ACTIONS")
    bench("gate", "--baseline", "x")
    assert "\n::error::pwned" in capsys.readouterr().err


@pytest.mark.parametrize("tell", [note, warn])
@given(text=st.text(alphabet="a: \t\r\n#[") | st.sampled_from(HOSTILE))
def test_no_message_gives_the_runner_commands(tell: Callable[[str], None], text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        shown: list[str] = []
        patch.setattr("click.echo", lambda message, **_: shown.append(message))
        tell(text)
    assert not obeyed("".join(shown))


@pytest.mark.usefixtures("judged")
def test_elsewhere_nothing_is_said_to_github(
    bench: Bench, workplace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_OUTPUT", str(workplace / "outputs"))
    bench("gate", "--junit", workplace / "gate.xml")
    assert "stop-commands::" not in capsys.readouterr().out.replace(HOSTILE[0].strip(), "")
    assert not (workplace / "outputs").exists()
    assert len(list(ET.parse(workplace / "gate.xml").iter("failure"))) == len(HOSTILE)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    bench("gate", "--no-github")
    assert not (workplace / "outputs").exists()


@pytest.mark.usefixtures("judged")
def test_files_that_cannot_be_written_are_told(
    bench: Bench, workplace: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = workplace / "nowhere" / "x"
    monkeypatch.setenv("GITHUB_OUTPUT", str(nowhere))
    assert bench("gate", "--github") == 1
    assert "GITHUB_OUTPUT cannot be written" in capsys.readouterr().err
    assert bench("gate", "--junit", nowhere) == 2
    assert "--junit" in capsys.readouterr().err
