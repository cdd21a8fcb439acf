"""``bench certify``, and what runs and the board say of its certificates."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import certificates, provenance
from bench.board import gather
from bench.certifying import GOLDENS, folder_digest
from bench.errors import CertificateError
from bench.manifest import Manifest, SessionRecord
from bench.store import StoredRun, stored_runs
from tests.adapters import wow_seg_goldens
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
Row = tuple[str, str, float | str, float]
GOOD: list[Row] = [
    ("logits", "a", 2e-5, 1e-4),
    ("tokens", "a", 0.0, 0.0),
    ("logits", "b", 4e-5, 1e-4),
]
BAD: list[Row] = [*GOOD, ("logits", "c", 3e-4, 1e-4)]


@pytest.fixture
def fixtures(workplace: Path) -> Path:
    """Folder of golden fixtures with one of the fake adapter that passes."""
    (workplace / "goldens" / "fake").mkdir(parents=True)
    differ(workplace / "goldens", GOOD)
    return workplace / "goldens"


def differ(fixtures: Path, rows: list[Row]) -> None:
    """What the fake adapter's comparisons are to be."""
    (fixtures / "fake" / "differences.json").write_text(json.dumps(rows))


def stored(workplace: Path) -> dict[str, Any]:
    path = workplace / "certificates" / "fake-r1.json"
    values: dict[str, Any] = json.loads(path.read_text())
    return values


def row(workplace: Path) -> dict[Any, Any]:
    """The only run's row on the board."""
    (found,) = gather(stored_runs(workplace / "runs")).runs.to_dict("records")
    return found


def only_run(workplace: Path) -> StoredRun:
    (run,) = stored_runs(workplace / "runs")
    return run


def test_a_passed_certification_is_told_by_stage_and_kept(
    bench: Bench, workplace: Path, fixtures: Path, capsys: Captured
) -> None:
    assert bench("certify", "fake", "--fixtures", fixtures) == 0
    out = capsys.readouterr().out
    assert "fake, revision 1: passed" in out
    told = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert told["logits"] == ["2", "4e-05", "0.0001", "passed", "b"]
    assert told["tokens"] == ["1", "0", "exact", "passed"]
    kept = stored(workplace)
    assert kept["passed"]
    assert kept["stages"][0] == {
        "stage": "logits",
        "cases": 2,
        "difference": 4e-5,
        "tolerance": 1e-4,
        "case": "b",
        "passed": True,
    }
    assert kept["fixture_digest"] == folder_digest(fixtures / "fake")
    assert {"regionbench", "python", "torch", "transformers", "numpy", "pillow"} <= set(
        kept["versions"]
    )
    assert kept["device"] == "cpu"


def test_a_failed_certification_is_incomplete_and_replaces_the_passed_one(
    bench: Bench, workplace: Path, fixtures: Path, capsys: Captured
) -> None:
    assert bench("certify", "fake", "--fixtures", fixtures) == 0
    before = stored(workplace)["fixture_digest"]
    differ(fixtures, BAD)
    capsys.readouterr()
    assert bench("certify", "fake", "--fixtures", fixtures, "--json") == 3
    (told,) = json.loads(capsys.readouterr().out)["certificates"]
    assert told.pop("path") == str(workplace / "certificates" / "fake-r1.json")
    assert told == stored(workplace)
    assert not told["passed"]
    assert told["fixture_digest"] != before
    assert [(s["stage"], s["case"], s["passed"]) for s in told["stages"]] == [
        ("logits", "c", False),
        ("tokens", "a", True),
    ]


def test_what_has_another_shape_fails_without_a_number(
    bench: Bench, workplace: Path, fixtures: Path, capsys: Captured
) -> None:
    differ(fixtures, [("tokens", "a", "inf", 0.0)])
    assert bench("certify", "fake", "--fixtures", fixtures) == 3
    assert "another shape" in capsys.readouterr().out
    assert stored(workplace)["stages"][0]["difference"] is None


def test_an_adapter_that_falls_over_has_failed(
    bench: Bench, workplace: Path, fixtures: Path, capsys: Captured
) -> None:
    differ(fixtures, [*GOOD, ("fall", "", 0.0, 0.0)])
    assert bench("certify", "fake", "--fixtures", fixtures) == 3
    assert "failed on the way: RuntimeError: out of paint" in capsys.readouterr().err
    kept = stored(workplace)
    assert (kept["passed"], kept["error"]) == (False, "RuntimeError: out of paint")
    assert all(stage["passed"] for stage in kept["stages"])


@pytest.mark.parametrize("rows", [None, []], ids=["no fixture", "an empty one"])
def test_comparing_nothing_certifies_nothing(
    bench: Bench, workplace: Path, fixtures: Path, rows: list[Row] | None, capsys: Captured
) -> None:
    if rows is None:
        (fixtures / "fake" / "differences.json").unlink()
    else:
        differ(fixtures, rows)
    assert bench("certify", "fake", "--fixtures", fixtures) == 3
    assert f"golden fixture {fixtures / 'fake'}" in capsys.readouterr().err
    assert not (workplace / "certificates").exists()


def test_a_model_means_its_adapter_and_each_adapter_is_compared_once(
    bench: Bench, fixtures: Path, capsys: Captured
) -> None:
    assert bench("certify", "one", "two", "fake", "--fixtures", fixtures, "--json") == 0
    told = json.loads(capsys.readouterr().out)["certificates"]
    assert [certificate["adapter"] for certificate in told] == ["fake"]


def test_without_a_name_every_adapter_that_can_be_certified_is(
    bench: Bench, fixtures: Path, capsys: Captured
) -> None:
    assert bench("certify", "--fixtures", fixtures, "--json") == 3
    shown = capsys.readouterr()
    told = json.loads(shown.out)["certificates"]
    assert [certificate["adapter"] for certificate in told] == ["fake"]
    assert f"adapter 'wow-seg': no golden fixture at {fixtures / 'wow_seg'}" in shown.err
    assert "replay" not in shown.err


def test_a_third_partys_broken_entry_is_a_warning(
    bench: Bench, fixtures: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("bench.certifying.registry.names", lambda: ["fake", "gone"])
    assert bench("certify", "--fixtures", fixtures) == 0
    assert "no adapter is called 'gone'" in capsys.readouterr().err


def test_an_adapter_without_a_revision_cannot_be_certified(
    bench: Bench, fixtures: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delattr(importlib.import_module("regionbench_fakes"), "REVISION")
    assert bench("certify", "fake", "--fixtures", fixtures) == 2
    assert "regionbench_fakes declares no REVISION" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["fkae"], "did you mean 'fake'"),
        (["replay"], "'replay' computes nothing that golden fixtures could check"),
        (["fake", "--fixtures", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_certified_is_bad_usage(
    bench: Bench, words: list[str], complaint: str, capsys: Captured
) -> None:
    assert bench("certify", *words) == 2
    assert complaint in capsys.readouterr().err


def test_the_real_adapter_is_certified_by_the_real_fixture(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    fixture = wow_seg_goldens.smallest_fixture(workplace / "goldens")
    assert bench("certify", "wow-seg", "--fixtures", fixture.parent, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["certificates"]
    assert told["adapter"] == "wow-seg"
    assert {"pixels", "first logits", "answer tokens", "cascade logits"} <= {
        stage["stage"] for stage in told["stages"]
    }
    assert (workplace / "certificates" / f"wow-seg-r{told['revision']}.json").is_file()


def test_fixtures_lie_beside_the_source() -> None:
    assert GOLDENS / "wow_seg" == wow_seg_goldens.FOLDER


def test_a_run_carries_the_certificate_it_began_with(
    bench: Bench, workplace: Path, fixtures: Path
) -> None:
    bench("certify", "fake", "--fixtures", fixtures)
    content = (workplace / "certificates" / "fake-r1.json").read_bytes()
    assert bench("run", "--model", "one", "--no-report") == 0
    (session,) = only_run(workplace).manifest().sessions
    assert session.certificate is not None
    assert session.certificate.digest == hashlib.sha256(content).hexdigest()
    assert session.certificate.passed
    assert (session.certificate.stage, session.certificate.difference) == ("logits", 4e-5)
    assert session.certificate.same_versions


def test_a_certificate_changes_no_question(
    bench: Bench, workplace: Path, fixtures: Path, asked: Any
) -> None:
    bench("run", "--model", "one", "--no-report")
    assert len(asked()) == 29
    bench("certify", "fake", "--fixtures", fixtures)
    bench("run", "--model", "one", "--no-report")
    assert asked() == []
    sessions = only_run(workplace).manifest().sessions
    assert [session.certificate is not None for session in sessions] == [False, True]


def test_a_damaged_certificate_is_a_warning_and_none(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    (workplace / "certificates").mkdir()
    (workplace / "certificates" / "fake-r1.json").write_text("{")
    assert bench("run", "--model", "one", "--no-report") == 0
    assert "`bench certify` writes it anew" in capsys.readouterr().err
    assert only_run(workplace).manifest().sessions[0].certificate is None


def test_a_certificate_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fake-r1.json"
    path.write_text('{"schema_version": 99}')
    with pytest.raises(CertificateError, match="schema_version 99, this regionbench reads 1"):
        certificates.find_certificate(tmp_path, "fake", 1)


@pytest.mark.parametrize(
    ("rows", "standing"), [(None, ""), (GOOD, "passed"), (BAD, "failed")], ids=str
)
def test_the_board_says_whether_what_answered_was_certified(
    bench: Bench, workplace: Path, fixtures: Path, rows: list[Row] | None, standing: str
) -> None:
    if rows is not None:
        differ(fixtures, rows)
        bench("certify", "fake", "--fixtures", fixtures)
    assert bench("run", "--model", "one") == 0
    assert row(workplace)["certified"] == standing
    data = json.loads((workplace / "site" / "index.json").read_text())["runs"][0]
    assert data["certified"] == standing
    assert data["certified_stage"] == ("logits" if standing else "")


def test_the_run_s_page_shows_the_whole_record(
    bench: Bench, workplace: Path, fixtures: Path
) -> None:
    bench("certify", "fake", "--fixtures", fixtures)
    assert bench("run", "--model", "one") == 0
    run = only_run(workplace)
    page = workplace / "site" / "runs" / f"{run.name}.html"
    text = page.read_text()
    certificate = run.manifest().sessions[0].certificate
    assert certificate is not None
    for fact in ("passed", "logits", "4e-05", "0.0001"):
        assert re.search(rf'id="certificate".*>{fact}<.*id="provenance"', text, re.DOTALL)
    for key in certificate.model_dump(exclude={"versions"}):
        assert f"<bdi>[0].certificate.{key}</bdi>" in text
    assert f"<bdi>{certificate.digest}</bdi>" in text
    assert "<bdi>[0].certificate.versions.torch</bdi>" in text


def test_other_versions_are_told_apart(
    bench: Bench, workplace: Path, fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench("certify", "fake", "--fixtures", fixtures)
    running = provenance.code()
    newer = running.model_copy(update={"packages": {**running.packages, "torch": "99.0"}})
    monkeypatch.setattr("bench.certificates.code", lambda: newer)
    monkeypatch.setattr("bench.provenance.code", lambda: newer)
    bench("run", "--model", "one", "--no-report")
    manifest = only_run(workplace).manifest()
    assert manifest.sessions[0].certificate is not None
    assert not manifest.sessions[0].certificate.same_versions
    assert row(workplace)["certified"] == "other versions"


def test_a_session_that_answered_with_other_versions_spoils_the_mark(
    bench: Bench, workplace: Path, fixtures: Path
) -> None:
    bench("certify", "fake", "--fixtures", fixtures)
    bench("run", "--model", "one", "--no-report")
    run = only_run(workplace)
    manifest = run.manifest()
    older = _with_torch(manifest.sessions[0], "0.4").model_copy(update={"certificate": None})
    assert _standing(run, manifest, older) == "other versions"
    idle = older.model_copy(update={"regions_asked": 0})
    assert _standing(run, manifest, idle) == "passed"


def _with_torch(session: SessionRecord, version: str) -> SessionRecord:
    packages = {**session.code.packages, "torch": version}
    code = session.code.model_copy(update={"packages": packages})
    return session.model_copy(update={"code": code})


def _standing(run: StoredRun, manifest: Manifest, earlier: SessionRecord) -> object:
    with run.writing() as writer:
        sessions = (earlier, *manifest.sessions)
        writer.write_manifest(manifest.model_copy(update={"sessions": sessions}))
    return gather([run]).runs["certified"][0]
