"""What the board's pages show of its runs, and what they must not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports import board_page, published
from reports.records import runs_of
from tests.reports import boards, pages
from tests.reports.board_sites import RECOGNITION, reproduced, write

SEGMENTATION = ("pq", "miou")
LAST = 4
"""Columns after the suites': parameters, licence, checkpoint, certified."""


def test_whole_suites_come_best_first_then_parts_then_incomplete_runs(tmp_path: Path) -> None:
    page = write(tmp_path, boards.demo())
    rows = reproduced(page)
    names = [row[0].split()[0] for row in rows]
    assert names == [
        "tiny-mm-cascade",
        "tiny-mm-causal",
        "tiny-sm",
        "tiny-mm-cascade",
        "tiny-broken",
    ]
    values = [float(row[1].split()[0]) for row in rows[:3]]
    assert values == sorted(values, reverse=True)
    assert "part: first 10 of 120 images" in rows[3][1]


def test_a_score_has_two_decimals_and_its_interval(tmp_path: Path) -> None:
    one = boards.run("a", images=30)
    value, low, high = one.scores[0][3:6]
    page = write(tmp_path, [one])
    cell = reproduced(page)[0][1]
    assert cell == f"{value * 100:.2f} [{low * 100:.2f}, {high * 100:.2f}]"


def test_an_incomplete_run_shows_no_number_as_a_score(tmp_path: Path) -> None:
    page = write(tmp_path, [boards.run("broken", images=20, errored=3), boards.run("whole")])
    broken = reproduced(page)[-1]
    assert broken[0].startswith("broken")
    assert broken[1].startswith("incomplete 3 ended in an error, of ")
    assert broken[2] == "–"
    charted = re.findall(r"<svg.*?</svg>", page.read_text(encoding="utf-8"), re.DOTALL)
    assert not any("broken" in svg for svg in charted)


@pytest.mark.parametrize("standing", ["passed", "other versions", "failed"])
def test_how_the_adapter_was_certified_stands_in_every_line(tmp_path: Path, standing: str) -> None:
    page = write(tmp_path, [boards.run("a", images=9, certified=standing)])
    cell = reproduced(page)[0][-1]
    assert (
        cell == f"{standing} worst difference 4.2e-05 of 0.0001 allowed, first logits, 2026-05-31"
    )


def test_a_run_without_a_certificate_has_a_dash(tmp_path: Path) -> None:
    page = write(tmp_path, [boards.run("a", images=9, certified="")])
    assert reproduced(page)[0][-1] == "– no certificate"


def test_a_line_of_several_runs_shows_the_weakest_certificate(tmp_path: Path) -> None:
    made = [
        boards.run("a", suite=suite, images=9, certified=standing)
        for suite, standing in (("lvis", "passed"), ("paco", "other versions"))
    ]
    (row,) = reproduced(write(tmp_path, made))
    assert row[-1].startswith("other versions ")


def test_answered_regions_are_counted_and_the_others_named(tmp_path: Path) -> None:
    one = boards.run("a", images=20)
    one.row.update(expected=100, answered=90, empty=7, unanswerable=3)
    row = reproduced(write(tmp_path, [one]))[0]
    assert row[3] == "90 of 100, 7 empty, 3 unanswerable"


@pytest.mark.parametrize("key", ["suite_version", "protocol", "encoder"])
def test_numbers_of_different_sets_protocols_or_encoders_share_no_column(
    tmp_path: Path, key: str
) -> None:
    one, other = boards.run("one", images=5), boards.run("other", images=5)
    other.row[key] = "osprey-v1"
    page = write(tmp_path, [one, other])
    rows = reproduced(page)
    filled = [[bool(cell) for cell in row[1:-LAST]] for row in rows]
    assert sorted(filled) == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    assert "osprey-v1" in page.read_text(encoding="utf-8")


def test_a_run_that_is_not_scored_yet_stands_in_its_suite_s_column(tmp_path: Path) -> None:
    waiting = boards.run("waiting", images=5)
    waiting.row.update(encoder="", complete=False)
    waiting.scores.clear()
    page = write(tmp_path, [waiting, boards.run("scored", images=5)])
    rows = reproduced(page)
    assert [row[0].split()[0] for row in rows] == ["scored", "waiting"]
    assert rows[1][1] == "incomplete not scored yet"
    assert len(rows[0]) == len(rows[1]) == 1 + 3 + LAST


def test_one_model_s_runs_on_several_suites_stand_in_one_line(tmp_path: Path) -> None:
    made = [boards.run("m", suite=suite, images=5) for suite in ("rr7k", "lvis", "paco")]
    (row,) = reproduced(write(tmp_path, made))
    assert all(row)


def test_a_whole_and_a_partial_run_of_one_model_are_both_shown(tmp_path: Path) -> None:
    made = [boards.run("m", images=20), boards.run("m", images=20, part=5, run_id="part")]
    rows = reproduced(write(tmp_path, made))
    assert ["part:" in row[1] for row in rows] == [False, True]


def test_charts_name_and_describe_themselves(demo_site: Path) -> None:
    text = demo_site.with_name(f"{RECOGNITION}.html").read_text(encoding="utf-8")
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert charts
    for chart in charts:
        title, description = re.search(r'aria-labelledby="(\S+) (\S+)"', chart).groups()  # type: ignore[union-attr]
        assert re.search(rf'<title id="{re.escape(title)}">[^<]+', chart)
        assert re.search(rf'<desc id="{re.escape(description)}">[^<]+', chart)
        assert "var(--ink)" in chart
        assert not re.search(r'(fill|stroke)="(#|rgb|black)', chart)


@pytest.mark.parametrize("page", ["index.html", "region-recognition.html", "segmentation.html"])
def test_headers_say_what_they_head(demo_site: Path, page: str) -> None:
    tags = pages.tags(demo_site.with_name(page))
    headers = [attributes for tag, attributes in tags if tag == "th"]
    assert {header.get("scope") for header in headers} == {"row", "col", "colgroup"}


def test_every_table_has_a_caption_and_every_scrolling_box_takes_the_keyboard(
    demo_site: Path,
) -> None:
    for page in demo_site.parent.rglob("*.html"):
        assert all(table.caption.strip() for table in pages.tables(page).values())
        boxes = [a for _, a in pages.tags(page) if "scroll" in a.get("class", "").split()]
        assert all(box["tabindex"] == "0" for box in boxes)
        assert all(box.get("aria-label") or box.get("aria-labelledby") for box in boxes)


def test_a_suite_of_another_metric_is_a_family_by_itself(tmp_path: Path) -> None:
    other = boards.measuring(boards.run("m", suite="ours", images=5), ["f1"], "ours-v1")
    page = write(tmp_path, [other]).with_name("suite-ours.html")
    (row,) = reproduced(page)
    assert row[0].startswith("m ")
    assert "F1" in page.read_text(encoding="utf-8")


def test_segmentation_shows_panoptic_quality_and_mean_iou(tmp_path: Path) -> None:
    one = boards.measuring(boards.run("m", suite="scenes", images=30), SEGMENTATION, "gt-v1")
    page = write(tmp_path, [one]).with_name("segmentation.html")
    (row,) = reproduced(page)
    values = [f"{score[3] * 100:.2f}" for score in one.scores]
    assert [cell.split()[0] for cell in row[1:3]] == values
    text = page.read_text(encoding="utf-8")
    assert ">PQ<" in text
    assert ">mIoU<" in text


def test_known_suites_come_before_others_in_the_order_of_papers(tmp_path: Path) -> None:
    suites = ["zoo", "shapes", "rr7k", "paco", "lvis"]
    page = write(tmp_path, [boards.run("m", suite=suite, images=4) for suite in suites])
    groups = [a["data-suite"] for tag, a in pages.tags(page) if "data-suite" in a]
    assert groups == ["lvis", "paco", "rr7k", "shapes", "zoo"]


def test_a_model_without_whole_scores_stands_below_whatever_its_column(tmp_path: Path) -> None:
    made = [
        boards.run("broken", suite="lvis", images=20, errored=3),
        boards.run("whole", suite="paco", images=20),
    ]
    rows = reproduced(write(tmp_path, made))
    assert [row[0].split()[0] for row in rows] == ["whole", "broken"]


def test_ranks_say_among_how_many_and_may_be_shared(tmp_path: Path) -> None:
    made = [boards.run(name, images=30, skill=skill) for name, skill in (("a", 0.9), ("b", 0.89))]
    for one in made:
        one.row.update(rank=1, ranked=2)
    part = boards.run("part", images=30, part=5)
    rows = reproduced(write(tmp_path, [*made, part]))
    assert [row[1] for row in rows] == ["1 of 2", "1 of 2", "–"]


def test_where_no_run_is_ranked_there_is_no_column_for_it(tmp_path: Path) -> None:
    page = write(tmp_path, [boards.run("a", images=5)])
    assert "Rank</th>" not in page.read_text(encoding="utf-8").partition("<tbody>")[0]
    assert len(reproduced(page)[0]) == 1 + 3 + LAST


def test_the_model_card_stands_in_the_line(tmp_path: Path) -> None:
    one = boards.run("a", images=5, parameters=938_000_000)
    one.row.update(base_model="OpenGVLab/InternVL3-1B", licence="MIT")
    (row,) = reproduced(write(tmp_path, [one]))
    digest = one.row["checkpoint_digest"][:12]
    assert row[-5:-1] == ["938 M", "OpenGVLab/InternVL3-1B", "MIT", f"tiny/a {digest}"]


def test_a_line_has_the_settings_that_others_of_its_adapter_lack(tmp_path: Path) -> None:
    made = [
        boards.run(f"m-{mode}", images=9, settings=f"cascade={mode}, max_tiles=12, scale=2.0")
        for mode in ("none", "region-output")
    ]
    page = write(tmp_path, made)
    names = [row[0] for row in reproduced(page)]
    assert sorted(names) == [
        "m-none wow-seg · cascade=none",
        "m-region-output wow-seg · cascade=region-output",
    ]
    assert "All lines of <bdi>wow-seg</bdi>: <bdi>max_tiles=12, scale=2.0</bdi>." in page.read_text(
        encoding="utf-8"
    )


def test_every_task_s_page_says_what_its_own_points_are(demo_site: Path) -> None:
    said = {}
    for key in (RECOGNITION, "segmentation", "mask-classification"):
        text = demo_site.with_name(f"{key}.html").read_text(encoding="utf-8")
        said[key] = text.partition("<dt>Points</dt>")[2].partition("</div>")[0]
    assert "unanswerable region 0" in said[RECOGNITION]
    assert "panoptic quality" in said["segmentation"]
    assert "Per class" in said["mask-classification"]
    assert not any("mean over regions" in said[key] for key in said if key != RECOGNITION)
    front = demo_site.read_text(encoding="utf-8").partition("<dt>Points</dt>")[2]
    assert front.partition("</div>")[0].count("<dd>") == 3


def test_pages_with_200_models_on_three_suites_are_light() -> None:
    one = [boards.run("m", suite=suite, images=9) for suite in ("lvis", "paco", "rr7k")]
    made = [boards.renamed(run, f"model-number-{at:03d}") for at in range(200) for run in one]
    for run in made:
        run.row.update(rank=1, ranked=200, base_model="OpenGVLab/InternVL3-1B")
    board = boards.board(made, published=published.load())
    files = dict(board_page.files(board, runs_of(board)))
    page = files[f"{RECOGNITION}.html"].decode()
    assert page.count("<tr>") >= 200
    assert page.count('<a href="runs/') == 600
    for path, content in files.items():
        assert not path.endswith(".html") or len(content) <= 250_000, path


def test_a_suite_s_name_chooses_no_place_outside_the_site(tmp_path: Path) -> None:
    hostile = '../"]{}</style><q>x'
    one = boards.measuring(boards.run("m", images=3), ["f1"], "own-v1")
    one.row["suite"] = hostile
    index = write(tmp_path / "site", [one]).with_name("index.html")
    assert {path.name for path in tmp_path.iterdir()} == {"site"}
    (page,) = index.parent.glob("suite-*.html")
    assert re.fullmatch(r"suite-[\w=+-]+\.html", page.name)
    assert page.name in [a.get("href") for _, a in pages.tags(index)]
    assert hostile in [a["data-suite"] for _, a in pages.tags(page) if "data-suite" in a]
    assert "q" not in [tag for shown in (index, page) for tag, _ in pages.tags(shown)]
