"""Pictures for the sample browser: shown where they may be and as far as they are there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.bench.fakes import paint
from tests.bench.kinds import Bench
from tests.bench.site_pictures import entries, jpegs, pictures_of, run, told
from tests.reports.samples import read_script


def test_a_card_that_leaves_pictures_out_leaves_outlines(workplace: Path, bench: Bench) -> None:
    run(bench)
    files = pictures_of(workplace)
    assert jpegs(files) == []
    assert told(files) == (
        "Pictures are left out: nothing says that their licence lets them be shown; outlines show "
        "where the regions are."
    )
    found = entries(files)
    assert len(found) == 10
    assert set(found["0002"]["outlines"]) == {f"0002/{n}" for n in range(4)}
    assert found["0002"]["outlines"]["0002/1"] == "M0 0m0 80l320 0 0 80-320 0z"


def test_the_configuration_shows_them_with_a_warning_that_names_the_licence(
    workplace: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    config = workplace / "bench.yaml"
    config.write_text(config.read_text() + "site_pictures: always\n")
    run(bench)
    files = pictures_of(workplace)
    assert jpegs(files) == [f"{n:04d}.jpg" for n in range(10)]
    assert told(files) == ""
    warning = capsys.readouterr().err
    assert "the site shows the pictures of suite stripes" in warning
    assert "their licence: none" in warning


def test_the_command_line_overrides_the_configuration_both_ways(
    workplace: Path, bench: Bench
) -> None:
    run(bench)
    assert bench("report", "--pictures", "always") == 0
    assert len(jpegs(pictures_of(workplace))) == 10
    assert bench("report", "--pictures", "never") == 0
    assert jpegs(pictures_of(workplace)) == []
    assert len(entries(pictures_of(workplace))) == 10


def test_an_unknown_choice_is_refused_naming_the_key(
    workplace: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    config = workplace / "bench.yaml"
    config.write_text(config.read_text() + "site_pictures: sometimes\n")
    assert bench("report") == 2
    assert "`site_pictures`" in capsys.readouterr().err


def test_a_suite_whose_data_are_gone_has_a_note_and_no_failure(
    workplace: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    run(bench, "--no-report")
    shutil.rmtree(workplace / "pictures")
    assert bench("report") == 0
    files = pictures_of(workplace)
    assert list(files) == ["suite.js"]
    assert told(files).startswith("Pictures are left out: the suite's data were not there")
    assert "no pictures of suite stripes" in capsys.readouterr().err
    paint(workplace / "pictures", 10)
    assert bench("report") == 0
    assert len(entries(pictures_of(workplace))) == 10


def test_pictures_that_are_missing_leave_outlines_until_they_are_back(
    workplace: Path, bench: Bench
) -> None:
    run(bench, "--no-report")
    for path in (workplace / "pictures").iterdir():
        path.unlink()
    assert bench("report", "--pictures", "always") == 0
    files = pictures_of(workplace)
    assert jpegs(files) == []
    assert len(entries(files)) == 10
    assert told(files) == "Pictures are left out: they were not there when this site was written."
    paint(workplace / "pictures", 10)
    assert bench("report", "--pictures", "always") == 0
    assert len(jpegs(pictures_of(workplace))) == 10


def test_one_broken_picture_leaves_the_others(workplace: Path, bench: Bench) -> None:
    run(bench, "--no-report")
    (workplace / "pictures" / "0003.png").write_bytes(b"not a picture")
    assert bench("report", "--pictures", "always") == 0
    files = pictures_of(workplace)
    assert len(jpegs(files)) == 9
    assert "file" not in entries(files)["0003"]
    assert len(entries(files)["0003"]["outlines"]) == 2


def test_the_run_s_pages_name_the_suite_they_share(workplace: Path, bench: Bench) -> None:
    assert bench("run") == 0
    suite = read_script(pictures_of(workplace)["suite.js"])
    stems: Any = [run["stem"] for run in suite["runs"]]
    assert [stem.split("/")[2] for stem in stems] == ["one", "two"]
    for stem in stems:
        assert (workplace / "site" / f"{stem}.samples.html").is_file()
        index = read_script((workplace / "site" / f"{stem}.samples" / "index.js").read_bytes())
        assert (
            index["regions"]
            == json.loads((workplace / "site" / f"{stem}.json").read_text())["expected"]
        )
