"""A judgement as JUnit XML, which most continuous integration systems show as tests."""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree as ET

from bench.gating.checks import Check, Kind, Verdict
from bench.gating.judging import Judgement
from bench.gating.rules import Outcome
from bench.gating.telling import COLUMNS, describe, row, sentence

_NAME = "bench gate"
# All that XML 1.0 allows (section 2.2) is left, the rest cannot even be escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(judgement: Judgement) -> bytes:
    """A suite of tests per model and suite, a test per score: a regression is a failure.

    What is incomplete, not comparable or inconclusive is an error; it is skipped where that does
    not fail the gate.
    """
    root = ET.Element("testsuites", name=_NAME)
    for subject, group in groupby(judgement.checks, key=lambda check: check.subject):
        suite = ET.SubElement(root, "testsuite", name=_clean(f"{_NAME}: {subject}"))
        for check in group:
            case = _case(suite, subject, check.name)
            _tell(case, check, judgement)
    if judgement.outcome is Outcome.NOTHING:
        suite = ET.SubElement(root, "testsuite", name=_NAME)
        case = _case(suite, _NAME, "something was measured")
        ET.SubElement(case, "error", type="nothing measured", message=sentence(judgement))
    _count(root)
    for suite in root:
        _count(suite)
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(suite: ET.Element, subject: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_clean(subject), name=_clean(name), time="0")


def _tell(case: ET.Element, check: Check, judgement: Judgement) -> None:
    message = _clean(describe(check))
    allowed = check.verdict is Verdict.INCONCLUSIVE and judgement.allow_inconclusive
    if check.verdict is Verdict.REGRESSION:
        ET.SubElement(case, "failure", type=check.verdict.value, message=message)
    elif check.verdict is not Verdict.PASS and (allowed or not check.counts):
        ET.SubElement(case, "skipped", message=message)
    elif check.verdict is not Verdict.PASS:
        ET.SubElement(case, "error", type=check.verdict.value, message=message)
    if check.kind is not Kind.COMPLETENESS and check.measured:
        told = ", ".join(
            f"{column} {cell}" for column, cell in zip(COLUMNS, row(check), strict=True) if column
        )
        ET.SubElement(case, "system-out").text = _clean(told)


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
