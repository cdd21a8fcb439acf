"""Pictures for the sample browser: made from the suites, where they may be shown."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import binary_dilation

from adapters.masks import decode_rle
from bench import picture_cache
from bench.config import ShowPictures
from bench.picture_cache import PictureCache
from bench.samples import suite_pictures
from bench.store import stored_runs
from bench.thumbnails import LONG_SIDE, picture
from reports.frames import SuitePictures
from suites import registry
from suites.base import ImageRecord
from tests.bench.fakes import FakeSuite, paint
from tests.bench.kinds import Bench
from tests.bench.test_report_site import files
from tests.reports.samples import read_script
from tests.reports.test_outlines import drawn

Files = dict[str, bytes]


def pictures_of(workplace: Path) -> Files:
    """The site's shared files by name."""
    (folder,) = (workplace / "site" / "pictures").iterdir()
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def entries(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, content in files.items():
        if name.startswith("outlines-"):
            found |= read_script(content)["pictures"]
    return found


def jpegs(files: Files) -> list[str]:
    return [name for name in files if name.endswith(".jpg")]


def told(files: Files) -> str:
    return str(read_script(files["suite.js"])["note"])


def run(bench: Bench, *words: object) -> None:
    assert bench("run", "--model", "one", *words) == 0


def made(workplace: Path, show: ShowPictures) -> SuitePictures:
    manifests = [stored.manifest() for stored in stored_runs(workplace / "runs")]
    (found,) = suite_pictures(manifests, workplace / ".regionbench", show)
    return found


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


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return registry.entry("shapes").load(cache=tmp_path_factory.mktemp("cache"), images=3)


def test_generated_scenes_are_shown_with_their_outlines(shapes: Any) -> None:
    record: ImageRecord = shapes.record(0)
    made = picture(shapes, 0, shown=True)
    assert made.jpeg is not None
    with PIL.Image.open(io.BytesIO(made.jpeg)) as image:
        assert (image.format, image.size) == ("JPEG", (made.width, made.height))
        shown = np.asarray(image.convert("RGB"), dtype=np.int16)
    original = np.asarray(shapes.query(0).image, dtype=np.int16)
    assert np.abs(shown - original).mean() < 10
    assert set(made.outlines) == set(record.region_ids)
    for region, mask in zip(record.region_ids, record.masks, strict=True):
        exact = np.kron(decode_rle(mask), np.ones((4, 4), dtype=np.bool_))
        again = drawn(made.outlines[region], made.width, made.height)
        # No pixel farther than one from where it was.
        assert not (exact & ~binary_dilation(again, iterations=4)).any()
        assert not (again & ~binary_dilation(exact, iterations=4)).any()


def test_a_thumbnail_carries_nothing_but_its_pixels(workplace: Path) -> None:
    suite = FakeSuite(workplace / "pictures", 2)
    side = suite.record(0).width
    exif = PIL.Image.Exif()
    exif[0x010E] = "taken at home"
    image = PIL.Image.new("RGB", (side, side), "red")
    image.save(workplace / "pictures" / "0000.png", exif=exif, icc_profile=b"profile", dpi=(7, 7))
    jpeg = picture(suite, 0, shown=True).jpeg
    assert jpeg is not None
    assert b"taken at home" not in jpeg
    assert b"Exif" not in jpeg
    with PIL.Image.open(io.BytesIO(jpeg)) as read:
        assert set(read.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_large_picture_becomes_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pycocotools import mask as coco

    from adapters.interface import RLE

    pixels = np.zeros((1024, 2048), dtype=np.uint8, order="F")
    pixels[256:512, 1024:1536] = 1
    rle = RLE((1024, 2048), coco.encode(pixels)["counts"].decode("ascii"))
    PIL.Image.new("RGB", (2048, 1024)).save(tmp_path / "big.png")
    record = ImageRecord("big", tmp_path / "big.png", 2048, 1024, ("r",), (rle,), None, ("x",))
    suite = FakeSuite(tmp_path, 1)
    monkeypatch.setattr(suite, "record", lambda index: record)
    found = picture(suite, 0, shown=True)
    assert (found.width, found.height) == (LONG_SIDE, LONG_SIDE // 2)
    assert found.outlines == {"r": "M0 0m1600 400l800 0 0 400-800 0z"}


def test_a_damaged_mask_has_no_outline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(tmp_path, 1)
    suite = FakeSuite(tmp_path, 1)
    record = suite.record(0)
    broken = (record.masks[0]._replace(counts="garbage"), *record.masks[1:])
    damaged = ImageRecord(
        record.image_id,
        record.path,
        record.width,
        record.height,
        record.region_ids,
        broken,
        None,
        record.labels,
    )
    monkeypatch.setattr(suite, "record", lambda index: damaged)
    assert list(picture(suite, 0, shown=True).outlines) == list(record.region_ids[1:])


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
