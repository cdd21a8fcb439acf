"""Pictures kept for the next report: made anew where what they come from changed, else not."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import picture_cache
from bench.config import ShowPictures
from bench.picture_cache import PictureCache
from bench.samples import suite_pictures
from bench.store import stored_runs
from reports.frames import SuitePictures
from tests.bench.fakes import FakeSuite
from tests.bench.kinds import Bench
from tests.bench.site_pictures import entries, jpegs, pictures_of, run, told
from tests.bench.test_report_site import files
from tests.reports.samples import read_script


def made(workplace: Path, show: ShowPictures) -> SuitePictures:
    manifests = [stored.manifest() for stored in stored_runs(workplace / "runs")]
    (found,) = suite_pictures(manifests, workplace / ".regionbench", show)
    return found


def test_pictures_once_made_are_there_without_the_suite_s_data(
    workplace: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    run(bench)
    assert bench("report", "--pictures", "always") == 0
    before = pictures_of(workplace)
    shutil.rmtree(workplace / "pictures")
    shutil.rmtree(workplace / "site")
    capsys.readouterr()
    assert bench("report", "--pictures", "always") == 0
    assert pictures_of(workplace) == before
    assert "no pictures" not in capsys.readouterr().err


def test_a_picture_that_was_restored_is_shown_as_in_a_new_site(
    workplace: Path, bench: Bench
) -> None:
    run(bench, "--no-report")
    broken = workplace / "pictures" / "0003.png"
    whole = broken.read_bytes()
    broken.write_bytes(b"not a picture")
    assert bench("report", "--pictures", "always") == 0
    assert "0003.jpg" not in pictures_of(workplace)
    broken.write_bytes(whole)
    assert bench("report", "--pictures", "always") == 0
    assert "0003.jpg" in pictures_of(workplace)
    assert bench("report", "--pictures", "always", "--site", "whole") == 0
    assert files(workplace / "site") == files(workplace / "whole")


def test_pictures_that_could_be_read_are_not_made_again_for_one_that_cannot(
    workplace: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(bench, "--no-report")
    (workplace / "pictures" / "0003.png").write_bytes(b"not a picture")
    assert bench("report", "--pictures", "always") == 0
    before = pictures_of(workplace)
    read: list[int] = []
    query = FakeSuite.query
    import regionbench_fakes  # type: ignore[import-not-found]

    def noting(suite: FakeSuite, index: int) -> object:
        read.append(index)
        return query(suite, index)

    monkeypatch.setattr(regionbench_fakes.FakeSuite, "query", noting)
    assert bench("report", "--pictures", "always") == 0
    assert read == [3]
    assert pictures_of(workplace) == before
    shutil.rmtree(workplace / "pictures")
    assert bench("report", "--pictures", "always") == 0
    assert pictures_of(workplace) == before


@pytest.fixture
def card(
    workplace: Path, third_party: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Corrects the suite's card, as another version of its package would."""
    import regionbench_fakes

    code = third_party / "regionbench_fakes.py"
    before = code.read_text()

    def correct(**changes: object) -> None:
        code.write_text(f"{before}# {changes}\n")
        suite = regionbench_fakes.FakeSuite
        monkeypatch.setattr(suite, "card", dataclasses.replace(suite.card, **changes))

    yield correct
    code.write_text(before)


def test_a_card_that_was_corrected_is_asked_again(
    workplace: Path, bench: Bench, card: Callable[..., None]
) -> None:
    card(show_pictures=True, licence="CC0")
    run(bench)
    assert len(jpegs(pictures_of(workplace))) == 10
    card(show_pictures=False, licence="all rights reserved")
    assert bench("report") == 0
    found = pictures_of(workplace)
    assert jpegs(found) == []
    assert read_script(found["suite.js"])["licence"] == "all rights reserved"
    card(show_pictures=True, licence="CC BY 4.0")
    assert bench("report") == 0
    found = pictures_of(workplace)
    assert len(jpegs(found)) == 10
    assert read_script(found["suite.js"])["licence"] == "CC BY 4.0"


def test_pictures_stay_out_where_a_corrected_card_cannot_be_asked(
    workplace: Path, bench: Bench, card: Callable[..., None]
) -> None:
    card(show_pictures=True, licence="CC0")
    run(bench)
    assert bench("report", "--pictures", "never") == 0
    assert bench("report") == 0
    shutil.rmtree(workplace / "pictures")
    assert bench("report") == 0
    assert len(jpegs(pictures_of(workplace))) == 10
    card(show_pictures=False, licence="all rights reserved")
    assert bench("report") == 0
    found = pictures_of(workplace)
    assert jpegs(found) == []
    assert len(entries(found)) == 10
    assert "could not be looked up" in told(found)
    assert bench("report", "--pictures", "always") == 0
    assert len(jpegs(pictures_of(workplace))) == 10


def test_pictures_made_by_other_code_are_made_anew_and_the_old_removed(
    workplace: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(bench)
    (before,) = (workplace / ".regionbench" / "pictures").iterdir()
    monkeypatch.setattr("bench.picture_cache._made_by", lambda: "other")
    monkeypatch.setattr("bench.thumbnails._outline", lambda mask, scale: "M0 0")
    shutil.rmtree(workplace / "site")
    assert bench("report") == 0
    (after,) = (workplace / ".regionbench" / "pictures").iterdir()
    assert before != after
    assert set(entries(pictures_of(workplace))["0002"]["outlines"].values()) == {"M0 0"}


def test_the_code_that_makes_pictures_is_part_of_the_cache_s_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = {PictureCache.of(tmp_path, "ab" * 32).folder.name}
    for name in ("thumbnails.py", "outlines.py"):
        read = Path.read_bytes
        changed = lambda path, name=name, read=read: read(path) + b"#" * (path.name == name)  # noqa: E731
        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", changed)
            picture_cache._made_by.cache_clear()
            names.add(PictureCache.of(tmp_path, "ab" * 32).folder.name)
        picture_cache._made_by.cache_clear()
    assert len(names) == 3


def test_data_that_changed_since_the_run_give_no_pictures(
    workplace: Path,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(bench, "--no-report")
    import regionbench_fakes

    digest = property(lambda suite: "0" * 64, lambda suite, value: None)
    monkeypatch.setattr(regionbench_fakes.FakeSuite, "digest", digest, raising=False)
    assert bench("report") == 0
    assert list(pictures_of(workplace)) == ["suite.js"]
    assert "its data have changed since the run" in capsys.readouterr().err


def test_a_longer_run_adds_its_pictures(workplace: Path, bench: Bench) -> None:
    run(bench, "--limit", 4)
    assert len(entries(pictures_of(workplace))) == 4
    run(bench, "--limit", 7)
    assert len(entries(pictures_of(workplace))) == 7
    assert len(list((workplace / ".regionbench" / "pictures").rglob("*.parquet"))) == 1
    manifest = stored_runs(workplace / "runs")[0].manifest()
    smaller = manifest.selection.model_copy(update={"images": 4})
    manifests = [manifest.model_copy(update={"selection": smaller})]
    (four,) = suite_pictures(manifests, workplace / ".regionbench", ShowPictures.AUTO)
    assert [one.image_id for one in four.load()] == [f"{n:04d}" for n in range(4)]


def test_the_digest_is_of_what_is_shown(workplace: Path, bench: Bench) -> None:
    run(bench, "--limit", 4)
    first = made(workplace, ShowPictures.AUTO).digest
    assert made(workplace, ShowPictures.AUTO).digest == first
    assert made(workplace, ShowPictures.ALWAYS).digest != first
    run(bench, "--limit", 5)
    assert made(workplace, ShowPictures.AUTO).digest != first


def test_two_caches_give_the_same_bytes(workplace: Path, bench: Bench) -> None:
    run(bench)
    assert bench("report", "--pictures", "always") == 0
    before = pictures_of(workplace)
    shutil.rmtree(workplace / ".regionbench" / "pictures")
    assert bench("report", "--pictures", "always") == 0
    assert pictures_of(workplace) == before


def test_a_damaged_cache_is_named_with_what_mends_it(
    workplace: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    run(bench)
    (path,) = (workplace / ".regionbench" / "pictures").rglob("*.parquet")
    path.write_bytes(b"damaged")
    shutil.rmtree(workplace / "site")
    assert bench("report") == 2
    assert f"{path} is damaged" in capsys.readouterr().err
    path.unlink()
    assert bench("report") == 0
    assert len(entries(pictures_of(workplace))) == 10
