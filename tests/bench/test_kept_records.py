"""The records kept in docs/efficiency are those that the code computes."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.config import load_config
from bench.efficiency.contenders import Contender, contenders
from bench.efficiency.costing import blank_cost, compute_cost, cost_points, cost_subject
from bench.efficiency.records import CostRecord, SpeedRecord, hardware_name
from bench.efficiency.storing import read_records, stored_record
from bench.efficiency_frames import efficiency_frames

SWEEPS = {"published": 156, "published-800x600": 42}


@pytest.fixture(scope="module")
def kept() -> Path:
    return Path(__file__).parents[2] / "docs" / "efficiency"


def competing(sweep: str) -> list[Contender]:
    config = load_config(Path(__file__).parents[2] / "bench.yaml")
    return contenders(config, sweep, config.contents.sweeps[sweep], [], None)


def blanks(sweep: str, contender: Contender) -> list[CostRecord]:
    spec = load_config(Path(__file__).parents[2] / "bench.yaml").contents.sweeps[sweep]
    subject = cost_subject(contender)
    return [blank_cost(contender, subject, spec, way, n) for way, n in cost_points(spec)]


@pytest.mark.parametrize(("sweep", "points"), SWEEPS.items())
def test_every_point_of_the_sweep_is_kept_and_no_other(kept: Path, sweep: str, points: int) -> None:
    wanted = {blank.key for one in competing(sweep) for blank in blanks(sweep, one)}
    found = read_records(kept / "computed" / sweep)
    assert {record.key for record in found} == wanted
    assert len(found) == len(wanted) == points
    assert {record.outcome for record in found} == {"computed"}


@pytest.mark.parametrize(
    ("sweep", "title", "point"),
    [
        ("published", "osprey-7b", 0),
        ("published", "wow-seg-cascade, max_tiles 1", 7),
        ("published-800x600", "wow-seg-shared-prefix, max_tiles 4", 5),
    ],
)
def test_a_kept_point_is_what_the_code_computes(
    kept: Path, sweep: str, title: str, point: int
) -> None:
    (contender,) = (one for one in competing(sweep) if one.title == title)
    blank = blanks(sweep, contender)[point]
    stored = stored_record(kept / "computed", sweep, blank)
    assert stored is not None
    assert compute_cost(contender, blank) == stored[1]


def test_the_kept_records_are_a_page(kept: Path) -> None:
    frames = efficiency_frames(kept / "computed")
    assert (len(frames.costs), len(frames.speeds)) == (sum(SWEEPS.values()), 0)


def test_every_folder_can_be_read_and_holds_speeds_of_one_machine_only(kept: Path) -> None:
    folders = [path for path in kept.iterdir() if path.is_dir() and path.name != "curves"]
    assert kept / "computed" in folders
    for folder in folders:
        records = read_records(folder)
        assert records
        speeds = [record for record in records if isinstance(record, SpeedRecord)]
        assert len({hardware_name(record.hardware) for record in speeds}) <= 1


@pytest.mark.parametrize(
    ("folder", "sweep"), [("nvidia-h200", "published-speed"), ("xeon-2-cores", "quick")]
)
def test_the_kept_speeds_are_all_points_of_their_sweep(kept: Path, folder: str, sweep: str) -> None:
    spec = load_config(Path(__file__).parents[2] / "bench.yaml").contents.sweeps[sweep]
    found = read_records(kept / folder)
    points = {
        (record.subject.model, record.way, record.instances)
        for record in found
        if isinstance(record, SpeedRecord) and record.outcome == "measured"
    }
    assert points == set(itertools.product(spec.models, spec.ways, spec.instances))
    assert len(found) == len(points)


def test_the_kept_curves_name_every_model(kept: Path) -> None:
    names = {contender.name for contender in competing("published")}
    curves = sorted((kept / "curves").glob("*.svg"))
    assert len(curves) == 8
    for curve in curves:
        assert names <= set(ET.fromstring(curve.read_text(encoding="utf-8")).itertext())


def test_the_kept_files_are_small(kept: Path) -> None:
    assert sum(path.stat().st_size for path in kept.rglob("*.json")) < 500_000
    assert max(path.stat().st_size for path in kept.rglob("*.svg")) < 100_000
