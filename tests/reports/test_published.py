"""What is published: shown apart as printed, and beside the run of the very same checkpoint."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from reports import published
from reports.families import TASKS
from reports.published_difference import Counterparts
from reports.records import runs_of
from reports.site import write_site
from suites.lvis import card as lvis
from suites.paco import card as paco
from suites.rr7k import card as rr7k
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC, ADE150, ADE847
from suites.segmentation.cityscapes_sets import CITYSCAPES, CITYSCAPES_PANOPTIC
from suites.segmentation.web_sets import COCO_STUFF, PASCAL_CONTEXT_459
from tests.reports import boards, pages

WOW_SEG = "AAwcAA/WOW-Seg"


def made(
    checkpoint: str = WOW_SEG,
    suite: str = "lvis",
    version: str = "v1-1k",
    value: float = 0.9011,
    **options: object,
) -> boards.Made:
    """A run of a published checkpoint with ``value`` as every score."""
    one = boards.run("m", suite=suite, images=9, **options)  # type: ignore[arg-type]
    one.row.update(checkpoint=checkpoint, suite_version=version)
    one.scores[:] = [(*score[:3], value, value - 0.01, value + 0.01, 9) for score in one.scores]
    return one


def told(one: boards.Made, metric: str = "semantic_similarity") -> str:
    """What stands below the run's score; "" where nothing does."""
    board = boards.board([one], published=published.load())
    (run,) = runs_of(board)
    found = Counterparts.among(board.published).of(run, metric)
    return found.told if found else ""


def page_of(tmp_path: Path, *runs: boards.Made, key: str = "region-recognition") -> Path:
    board = boards.board(runs, published=published.load())
    return write_site(board, tmp_path).with_name(f"{key}.html")


def test_published_rows_stand_in_a_table_of_their_own_with_paper_and_table(demo_site: Path) -> None:
    tables = pages.tables(demo_site.with_name("region-recognition.html"))
    rows = tables["region-recognition-published"].rows
    assert rows[0][:3] == ["WOW-Seg 2026", "89.7", "82.4"]
    assert {row[-1] for row in rows} == {"WOW-Seg (ICLR 2026), Table 1"}
    reproduced = tables["region-recognition-runs"].rows
    assert not any("ICLR" in cell for row in reproduced for cell in row)


def test_all_three_tasks_have_published_rows(demo_site: Path) -> None:
    for key, best in (
        ("segmentation", ["WOW-Seg 2026", "65.76", "66.40", "44.46", "37.77"]),
        ("mask-classification", ["WOW-Seg 2026 finetuned", "59.2", "58.7", "68.5", "72.0", "73.5"]),
    ):
        rows = pages.tables(demo_site.with_name(f"{key}.html"))[f"{key}-published"].rows
        assert rows[0][: len(best)] == best


def test_published_numbers_keep_the_decimals_of_their_table(demo_site: Path) -> None:
    tables = pages.tables(demo_site.with_name("region-recognition.html"))
    rows = tables["region-recognition-published-variants"].rows
    single = next(row for row in rows if row[1] == "train=MM")
    assert single[2:6] == ["88.75", "80.10", "86.29", "75.49"]


def test_the_published_data_that_ship_cover_the_papers_main_table() -> None:
    frame = published.load()
    main = frame[frame["table"].eq("Table 1") & frame["suite"].eq("lvis")]
    assert set(main["method"]) >= {"WOW-Seg", "PAM", "DAM", "Osprey"}
    assert frame["value"].between(0, 100).all()
    assert frame["source"].notna().all()


def test_every_published_row_that_ships_belongs_to_a_page() -> None:
    shown = {(suite, metric) for task in TASKS for suite in task.suites for metric in task.metrics}
    frame = published.load()
    assert set(zip(frame["suite"], frame["metric"], strict=True)) <= shown


@pytest.mark.parametrize(
    ("checkpoint", "suite", "version", "words"),
    [
        (WOW_SEG, "lvis", "v1-1k", "published 89.7 (Table 1), +0.4"),
        (WOW_SEG, "lvis", "v1-1k+opencv", "published 89.7 (Table 1), +0.4"),
        (WOW_SEG, "lvis", "v1", "published 89.7 (Table 1), other set"),
        (WOW_SEG, "rr7k", "v1-sa1b", "published 69.1 (Table 1), other set"),
        ("sunshine-lwt/Osprey-7b", "paco", "v1-1k", "published 73.1 (Table 1), +17.0"),
        ("Perceive-Anything/PAM-3B", "lvis", "v1-1k", "published 88.6 (Table 1), +1.5"),
        ("Perceive-Anything/PAM-1.5B", "lvis", "v1-1k", "published 87.4 (Table 1), +2.7"),
        ("nvidia/DAM-3B", "lvis", "v1-1k", ""),
        ("/somewhere/WOW-Seg", "lvis", "v1-1k", ""),
        (WOW_SEG, "lvis", "v1-1k @abc1234", "published 89.7 (Table 1), +0.4"),
        (WOW_SEG, "lvis", "v1-1k+opencv @abc1234", "published 89.7 (Table 1), +0.4"),
        (WOW_SEG, "lvis", "v1 @abc1234", "published 89.7 (Table 1), other set"),
        (WOW_SEG, "shapes", "1", ""),
    ],
)
def test_a_published_checkpoint_s_score_stands_beside_its_run_s(
    checkpoint: str, suite: str, version: str, words: str
) -> None:
    assert told(made(checkpoint, suite, version)) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.897, "±0.0"), (0.89699, "±0.0"), (0.8961, "-0.1"), (0.1, "-79.7")]
)
def test_a_difference_has_a_sign_and_the_decimals_of_the_table(value: float, words: str) -> None:
    assert told(made(value=value)) == f"published 89.7 (Table 1), {words}"


def test_the_other_metrics_of_the_column_have_their_own_published_score() -> None:
    assert told(made(), "semantic_iou") == "published 82.4 (Table 1), +7.7"
    assert told(made(), "exact_match") == ""


def test_mask_accuracy_is_what_papers_print_as_mask_acc() -> None:
    one = made(suite="ade150", version="1", value=0.7)
    one = boards.measuring(one, ["mask_accuracy"], "maskacc-v1")
    assert told(one, "mask_accuracy") == "published 68.5 (Table 3), +1.5"


@pytest.mark.parametrize("lack", [{"part": 3}, {"errored": 2}])
def test_nothing_stands_beside_a_partial_or_incomplete_run(lack: dict[str, object]) -> None:
    assert told(made(**lack)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "encoder", "apart"),
    [
        ("multi_instance=single, scale=2.0", "all-MiniLM-L6-v2@c9745ed", "+0.4"),
        ("multi_instance=shared-prefix", "all-MiniLM-L6-v2", "+0.4"),
        ("cascade=none, multi_instance=cascade", "all-MiniLM-L6-v2@1", "other settings"),
        ("multi_instance=single, scale=1.0", "all-MiniLM-L6-v2@1", "other settings"),
        ("max_tiles=4, multi_instance=single", "all-MiniLM-L6-v2@1", "other settings"),
        ("multi_instance=single", "tiny-encoder@123", "other encoder"),
        ("multi_instance=cascade", "tiny-encoder@123", "other settings, encoder"),
    ],
)
def test_nothing_is_subtracted_from_a_run_with_other_settings_or_another_encoder(
    settings: str, encoder: str, apart: str
) -> None:
    one = made(settings=settings)
    one.row["encoder"] = encoder
    assert told(one) == f"published 89.7 (Table 1), {apart}"


def test_settings_of_an_adapter_whose_papers_name_none_hinder_no_difference() -> None:
    one = made("Perceive-Anything/PAM-3B", settings="box=annotation")
    assert told(one) == "published 88.6 (Table 1), +1.5"


def test_the_page_prints_the_difference_below_the_score_and_its_caveat_below_the_table(
    tmp_path: Path,
) -> None:
    page = page_of(tmp_path, made())
    (row,) = pages.tables(page)["region-recognition-runs"].rows
    assert row[1] == "90.11 [89.11, 91.11] published 89.7 (Table 1), +0.4"
    text = page.read_text(encoding="utf-8")
    told = "LVIS: WOW-Seg (ICLR 2026), set 1K subset (presumed), protocol unknown, no interval"
    assert text.count(f"Published, <bdi>{told}</bdi>.") == 1
    assert not any("title" in a for _, a in pages.tags(page) if a.get("class") == "versus")


def test_a_page_with_nothing_published_beside_its_runs_has_no_caveat(tmp_path: Path) -> None:
    page = page_of(tmp_path, made("/somewhere/else"))
    assert "Published, <bdi>" not in page.read_text(encoding="utf-8")


def test_the_difference_and_its_caveat_are_in_the_data_too(tmp_path: Path) -> None:
    page = page_of(tmp_path, made())
    caveat = {"published_set": "1K subset (presumed)", "published_protocol": "unknown"}
    (run,) = json.loads(page.with_suffix(".json").read_text())["runs"]
    first = run["counterparts"][0]
    assert (first["metric"], first["published"]) == ("semantic_similarity", 89.7)
    assert first["difference"] == pytest.approx(0.41)
    assert caveat.items() <= first.items()
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    printed = {(r["metric"], r["score_protocol"]): r["published"] for r in rows if r["published"]}
    assert printed == {
        ("semantic_similarity", "wowseg-v1"): "89.7",
        ("semantic_iou", "wowseg-v1"): "82.4",
    }
    assert all(caveat.items() <= row.items() for row in rows if row["published"])
    (main,) = json.loads(page.with_name("index.json").read_text())["runs"]
    assert (main["published"], main["difference"]) == (89.7, pytest.approx(0.41))
    assert caveat.items() <= main.items()


def test_the_data_say_why_nothing_is_subtracted(tmp_path: Path) -> None:
    page = page_of(tmp_path, made(version="v1", settings="multi_instance=cascade"))
    (main,) = json.loads(page.with_name("index.json").read_text())["runs"]
    assert (main["published_unlike"], main["difference"]) == ("set, settings", None)


def test_every_method_and_set_that_is_mapped_is_published() -> None:
    frame = published.load().fillna({"variant": ""})
    printed = set(zip(frame["method"], frame["params_b"], frame["variant"], strict=True))
    methods = published.methods().fillna({"variant": ""})
    assert (
        set(zip(methods["method"], methods["params_b"], methods["variant"], strict=True)) <= printed
    )
    sets = published.sets()
    assert set(zip(sets["suite"], sets["set"], strict=True)) == set(
        zip(frame["suite"], frame["set"], strict=True)
    )


def test_the_versions_of_published_sets_are_those_of_the_suites() -> None:
    cards = [
        *(lvis("v1-1k"), paco("v1-1k"), rr7k("v1")),
        *(made.card for made in (ADE20K_PANOPTIC, CITYSCAPES_PANOPTIC)),
        *(made.card for made in (ADE847, ADE150, CITYSCAPES, COCO_STUFF, PASCAL_CONTEXT_459)),
    ]
    known = {(row.suite, row.suite_version) for row in published.sets().itertuples(index=False)}
    assert {(card.name, card.version) for card in cards} == known
