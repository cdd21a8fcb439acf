"""The board's front page: the best lines of each task and their drawn intervals."""

from __future__ import annotations

import re
from pathlib import Path

from tests.reports import boards, pages
from tests.reports.board_sites import write


def test_every_task_has_a_page_of_its_own_that_the_front_page_leads_to(demo_site: Path) -> None:
    links = [attributes.get("href") for tag, attributes in pages.tags(demo_site) if tag == "a"]
    for key in ("region-recognition", "segmentation", "mask-classification"):
        assert f"{key}.html" in links
        assert "How to read this" in demo_site.with_name(f"{key}.html").read_text(encoding="utf-8")


def test_the_front_page_has_the_best_lines_by_the_main_metric(tmp_path: Path) -> None:
    base = boards.run("m", images=30)
    made = [boards.renamed(base, f"model-{at:02d}") for at in range(12)]
    for at, one in enumerate(made):
        one.scores[:] = [(*s[:3], s[3] - at / 100, *s[4:]) for s in one.scores]
        one.row.update(rank=1 + at, ranked=12)
    index = write(tmp_path, made).with_name("index.html")
    rows = pages.tables(index)["region-recognition-best"].rows
    assert [row[0].split()[0] for row in rows] == [f"model-{at:02d}" for at in range(8)]
    value, low, high = made[0].scores[0][3:6]
    assert rows[0][1:4] == ["1 of 12", f"{value * 100:.2f}", f"[{low * 100:.2f}, {high * 100:.2f}]"]
    assert "All 12 lines" in index.read_text(encoding="utf-8")


def test_the_front_page_shows_no_number_of_an_incomplete_run(tmp_path: Path) -> None:
    broken = boards.run("broken", images=20, errored=3)
    index = write(tmp_path, [broken]).with_name("index.html")
    (row,) = pages.tables(index)["region-recognition-best"].rows
    assert row[1:3] == ["incomplete", f"3 ended in an error, of {broken.row['expected']}"]


def test_intervals_are_drawn_within_their_column(tmp_path: Path) -> None:
    made = [boards.run(name, images=30, skill=skill) for name, skill in (("a", 0.9), ("b", 0.4))]
    index = write(tmp_path, made).with_name("index.html")
    drawn = re.findall(r"--l:([\d.]+);--v:([\d.]+);--h:([\d.]+)", index.read_text("utf-8"))
    assert len(drawn) == 2
    numbers = [tuple(map(float, spans)) for spans in drawn]
    assert all(0 <= low <= value <= high <= 100 for low, value, high in numbers)
    assert (numbers[0][2], numbers[1][0]) == (100, 0)


def test_no_interval_is_drawn_where_there_is_no_other_in_its_column(tmp_path: Path) -> None:
    made = [boards.run("a", suite=suite, images=30) for suite in ("lvis", "paco")]
    made.append(boards.run("b", suite="paco", images=30, skill=0.4))
    index = write(tmp_path, made).with_name("index.html")
    text = index.read_text(encoding="utf-8")
    assert len(re.findall(r'style="--l:', text)) == 2
    bounds = [(score[4], score[5]) for one in made[1:] for score in one.scores[:1]]
    least, greatest = min(low for low, _ in bounds), max(high for _, high in bounds)
    (ends,) = re.findall(r'class="ends">(.*?)</small>', text)
    assert re.findall(r">([\d.-]+)<", ends) == [f"{least * 100:.2f}", f"{greatest * 100:.2f}"]


def test_a_part_of_a_suite_is_marked_on_the_front_page(tmp_path: Path) -> None:
    made = [boards.run("m", images=20), boards.run("m", images=20, part=5, run_id="part")]
    index = write(tmp_path, made).with_name("index.html")
    rows = pages.tables(index)["region-recognition-best"].rows
    told = "part: first 5 of 20 images"
    # Below the name for narrow windows, beside the interval for others.
    assert [row[0] for row in rows] == ["m wow-seg", f"m wow-seg {told}"]
    assert [told in row[2] for row in rows] == [False, True]


def test_two_runs_of_one_name_are_told_apart_on_the_front_page(tmp_path: Path) -> None:
    made = [
        boards.run("m", images=9, settings=f"scale={scale}", run_id=f"run-{scale}")
        for scale in (1, 2)
    ]
    index = write(tmp_path, made).with_name("index.html")
    rows = pages.tables(index)["region-recognition-best"].rows
    assert sorted(row[0] for row in rows) == ["m wow-seg · scale=1", "m wow-seg · scale=2"]
