"""One run's page."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from reports import confusions, run_efficiency, run_page, run_regions
from reports.frames import Board, RunReport
from reports.records import runs_of
from reports.site import write_site
from tests.reports import boards, pages, samples, sweeps


def write(tmp_path: Path, made: boards.Made) -> Path:
    write_site(boards.board([made]), tmp_path)
    return tmp_path / "runs" / f"{made.row['run']}.html"


def with_page(made: boards.Made, **changes: object) -> boards.Made:
    return dataclasses.replace(made, page=dataclasses.replace(made.page, **changes))  # type: ignore[arg-type]


def view(made: boards.Made) -> run_page.RunView:
    board = boards.board([made])
    return run_page.view(board, runs_of(board)[0], made.page)


def test_every_metric_is_shown_under_every_protocol_with_interval_and_count(
    tmp_path: Path,
) -> None:
    made = boards.run("a", images=20)
    rows = pages.tables(write(tmp_path, made))["0"].rows
    assert [row[0] for row in rows] == ["Semantic similarity", "Semantic IoU", "Exact match"]
    value, low, high, count = made.scores[0][3:]
    assert rows[0][1] == f"{value * 100:.2f} [{low * 100:.2f}, {high * 100:.2f}] {count:,}"


def test_an_incomplete_run_s_page_has_no_score_no_means_and_no_chart(tmp_path: Path) -> None:
    page = write(tmp_path, boards.run("a", images=20, errored=2))
    text = page.read_text(encoding="utf-8")
    assert ">incomplete<" in text
    assert "2 ended in an error, of" in text
    assert "categories-table" not in pages.tables(page)
    assert "<svg" not in text.partition("<body>")[2]
    stored = json.loads(page.with_suffix(".json").read_text())
    assert stored["categories"] == []
    assert {score["value"] for score in stored["scores"]} == {None}


def test_categories_are_sorted_lowest_first_and_all_there(tmp_path: Path) -> None:
    made = boards.run("a", images=60, skill=0.6)
    table = pages.tables(write(tmp_path, made))["categories-table"]
    values = [float(row[2]) for row in table.rows]
    assert values == sorted(values)
    assert {row[0] for row in table.rows} == set(made.page.regions["category"])
    assert "categories, lowest Semantic similarity first" in table.caption


def test_a_page_of_thousands_of_categories_keeps_both_ends() -> None:
    made = boards.run("a", images=2)
    count = run_regions.MOST_CATEGORIES + 500
    categories = pd.DataFrame(
        {
            "category": [f"category {number:05d}" for number in range(count)],
            "metric": "semantic_similarity",
            "protocol": "wowseg-v1",
            "value": [number / count for number in range(count)],
            "count": 1,
        }
    )
    shown = view(with_page(made, categories=categories))
    assert shown.category_total == count
    assert len(shown.categories) == run_regions.MOST_CATEGORIES
    assert shown.categories[0].category == "category 00000"
    assert shown.categories[-1].category == f"category {count - 1:05d}"


def test_the_whole_manifest_and_the_command_are_on_the_page(tmp_path: Path) -> None:
    made = boards.run("a", images=2)
    text = write(tmp_path, made).read_text(encoding="utf-8")
    assert "<code>bench run --model a --suite shapes</code>" in text
    for entry in ("settings.max_tiles", "forced_tokens", "transformers", "9f2c1e7a0d5b4c3f8e6a"):
        assert f"<bdi>{entry}</bdi>" in text


def test_the_names_of_machines_are_neither_on_the_page_nor_beside_it(tmp_path: Path) -> None:
    made = boards.run("a", images=2)
    sessions = [
        {"device": f"cuda:{n}", "hardware": {"cpu": "host cores", "host": f"secret-{n}.invalid"}}
        for n in range(2)
    ]
    made = with_page(made, manifest={**made.page.manifest, "sessions": sessions})
    page = write(tmp_path, made)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"secret-" not in path.read_bytes(), path
    assert "cuda:1" in page.read_text(encoding="utf-8")
    stored = json.loads(page.with_suffix(".json").read_text())["manifest"]["sessions"]
    assert [session["hardware"] for session in stored] == [{"cpu": "host cores"}] * 2


@pytest.mark.parametrize("sessions", [None, [], "text", 3, ["text", None], {"host": 1}])
def test_sessions_of_another_form_are_shown_as_they_are(tmp_path: Path, sessions: object) -> None:
    made = boards.run("a", images=2)
    page = write(tmp_path, with_page(made, manifest={**made.page.manifest, "sessions": sessions}))
    assert json.loads(page.with_suffix(".json").read_text())["manifest"]["sessions"] == sessions


def test_a_manifest_without_a_command_still_has_its_page() -> None:
    made = boards.run("a", images=2)
    report = RunReport(made.row["run"], {}, made.page.regions, made.page.categories)
    board = boards.board([made])
    shown = run_page.view(board, runs_of(board)[0], report)
    assert (shown.recipe, shown.provenance) == (("", ""), ())


def test_the_files_beside_the_page_hold_what_it_shows(tmp_path: Path) -> None:
    made = boards.run("a", images=60, skill=0.6)
    page = write(tmp_path, made)
    stored = json.loads(page.with_suffix(".json").read_text())
    tables = pages.tables(page)
    for name, key in (("answers", "region_id"), ("categories", "category")):
        with page.with_suffix(f".{name}.csv").open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        kept = [row[key] for row in stored[name]]
        assert [row[key] for row in rows[: len(kept)]] == kept
        assert len(stored[name]) == len(tables[f"{name}-table"].rows)
    assert stored["manifest"] == made.page.manifest
    assert stored["scores"][0]["value"] == made.scores[0][3]


@pytest.mark.parametrize("text", boards.HOSTILE)
def test_the_json_beside_the_page_holds_hostile_answers_exactly(tmp_path: Path, text: str) -> None:
    page = write(tmp_path, boards.run("a", images=2, texts=[text]))
    assert json.loads(page.with_suffix(".json").read_text())["answers"][0]["text"] == text


def test_hostile_names_of_models_categories_and_settings_are_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>\x00"
    hostile = f"{name}\ud800"
    made = boards.run(name, images=3, settings=name)
    regions, categories = made.page.regions, made.page.categories
    regions["reference"] = pd.Series([hostile] * len(regions), dtype=object)
    categories["category"] = pd.Series([hostile] * len(categories), dtype=object)
    made = with_page(made, regions=regions, categories=categories, manifest={hostile: hostile})
    other = boards.run("other", images=3)
    write_site(boards.board([made, other]), tmp_path)
    found = list(tmp_path.rglob("*.html"))
    assert sum(not page.name.endswith(".samples.html") for page in found) >= 3
    for page in found:
        scripts = [attributes for tag, attributes in pages.tags(page) if tag == "script"]
        assert scripts == [{}]


def grouped(made: boards.Made, *groups: str) -> boards.Made:
    """The run with its main metric for these groups of categories too."""
    name, metric, protocol = made.scores[0][:3]
    further = [
        (name, f"{metric}[{group}]", protocol, 0.1 * at, 0.0, 0.9, 10 + at)
        for at, group in enumerate(groups)
    ]
    return dataclasses.replace(made, scores=[*made.scores, *further])


def test_rare_and_frequent_categories_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    made = grouped(boards.run("a", images=20), "macro", "rare", "common", "frequent")
    tables = pages.tables(write(tmp_path, made))
    (row,) = tables["frequency-table"].rows
    whole = made.scores[0]
    assert row[:2] == ["Semantic similarity", "wowseg-v1"]
    assert row[2] == "10.00 [0.00, 90.00] 11"
    assert row[4] == "30.00 [0.00, 90.00] 13"
    assert row[5].startswith(f"{whole[3] * 100:.2f}")
    shown = [row[0] for row in tables["0"].rows]
    assert "Semantic similarity, macro" in shown
    assert not any("rare" in name or "frequent" in name for name in shown)


def test_a_group_without_a_category_is_a_dash(tmp_path: Path) -> None:
    made = grouped(boards.run("a", images=20), "rare", "frequent")
    (row,) = pages.tables(write(tmp_path, made))["frequency-table"].rows
    assert row[3] == "–"


def test_things_and_stuff_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    tables = pages.tables(write(tmp_path, grouped(boards.run("a", images=20), "things", "stuff")))
    assert len(tables["things-table"].rows) == 1
    assert "frequency-table" not in tables


def test_a_run_without_groups_and_an_incomplete_one_have_no_such_table(tmp_path: Path) -> None:
    plain = boards.run("a", images=20)
    incomplete = grouped(boards.run("b", images=20, errored=1), "rare", "common", "frequent")
    for at, made in enumerate((plain, incomplete)):
        assert "frequency-table" not in pages.tables(write(tmp_path / str(at), made))


def test_confusions_are_counted_most_frequent_first(tmp_path: Path) -> None:
    made = samples.classed("a", right=0.3)
    regions = made.page.regions
    wrong = regions[(regions["predicted"] != "") & (regions["predicted"] != regions["category"])]
    counts = wrong.groupby(["category", "predicted"]).size().sort_values(ascending=False)
    page = write(tmp_path, made)
    rows = pages.tables(page)["confusions-table"].rows
    assert [int(row[2]) for row in rows] == counts.tolist()
    truth, named, count, share = rows[0]
    assert counts[(truth, named)] == int(count)
    assert share == f"{100 * int(count) / 20:.2f}"
    assert f"#category={truth}&amp;predicted={named}" in page.read_text(encoding="utf-8")
    stored = json.loads(page.with_suffix(".json").read_text())["confusions"]
    assert [pair["confused"] for pair in stored] == counts.tolist()


def test_many_confusions_are_cut_and_their_number_told(tmp_path: Path) -> None:
    made = samples.classed("a")
    names = [f"class {at:02d}" for at in range(60)]
    regions = made.page.regions.assign(category=names, predicted=[*names[1:], names[0]])
    page = write(tmp_path, with_page(made, regions=regions))
    table = pages.tables(page)["confusions-table"]
    assert len(table.rows) == confusions.MOST
    assert f"The most frequent {confusions.MOST} of 60 pairs" in table.caption


def test_free_text_answers_are_not_confusions(tmp_path: Path) -> None:
    assert "confusions-table" not in pages.tables(write(tmp_path, boards.run("a", images=20)))


def test_a_metric_of_the_whole_set_orders_regions_by_what_they_have(tmp_path: Path) -> None:
    made = samples.classed("a")
    scores = [(made.row["run"], "pq", "wowseg-v1", 0.5, 0.4, 0.6, 3), *made.scores]
    panoptic = dataclasses.replace(made, row={**made.row, "main_metric": "pq"}, scores=scores)
    page = write(tmp_path, panoptic)
    rows = pages.tables(page)["answers-table"].rows
    shown = [float(row[4]) for row in rows if row[4] != "–"]
    assert shown == sorted(shown)
    assert "lowest Semantic similarity first" in pages.tables(page)["answers-table"].caption
    assert "3 classes" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        ("passed", "gave the same numbers as the official code"),
        ("other versions", "with other versions of its packages than this run"),
        ("failed", "did not give the numbers of the official code"),
        ("", "was not compared with the official code"),
    ],
)
def test_the_certificate_says_what_it_means(tmp_path: Path, standing: str, told: str) -> None:
    made = boards.run("a", images=2, certified=standing)
    record = {"versions": {"torch": "2.13.0"}, "fixture_digest": "abcdef0123456789"}
    manifest = {**made.page.manifest, "sessions": [{"certificate": record}]}
    text = write(tmp_path, with_page(made, manifest=manifest)).read_text(encoding="utf-8")
    block = text.partition('id="certificate"')[2].partition("</section>")[0]
    assert told in " ".join(block.replace("&#39;", "'").split())
    for fact in ("first logits", "torch 2.13.0", "abcdef012345<", "4.2e-05", "2026-05-31"):
        assert (fact in block) == bool(standing)


def test_the_command_is_shown_with_the_entries_it_needs(tmp_path: Path) -> None:
    made = boards.run("a", images=2)
    manifest = {
        "command": "bench run --model a --suite mine --limit 2",
        "model": {
            "name": "a",
            "declared": {
                "adapter": "wow-seg",
                "checkpoint": "bundled:sm",
                "settings.scale": 2,
                "settings.mode": "it's",
            },
        },
        "suite": {"called": "mine", "kind": "shapes", "options": {"images": 60, "root": "a b"}},
        "scorings": {
            "old": {"encoder": "other", "encoder_revision": "1", "scored": "2025"},
            "new": {"encoder": "minilm", "encoder_revision": "c97", "scored": "2026"},
        },
    }
    found = view(with_page(made, manifest=manifest)).recipe
    assert found.command == "bench run --model a --suite mine --limit 2"
    assert yaml.safe_load(found.entries) == {
        "models": {
            "a": {
                "adapter": "wow-seg",
                "checkpoint": "bundled:sm",
                "settings": {"scale": 2, "mode": "it's"},
            }
        },
        "suites": {"mine": {"kind": "shapes", "images": 60, "root": "a b"}},
        "encoder": {"model": "minilm", "revision": "c97"},
    }
    shown = write(tmp_path, with_page(made, manifest=manifest)).read_text(encoding="utf-8")
    assert "The entries of bench.yaml that it needs" in shown


def with_sweeps(made: boards.Made, **changes: str) -> Board:
    """The run's board beside the sweeps of several models."""
    costs, speeds = sweeps.demo()
    board = boards.board([made])
    return dataclasses.replace(
        board, costs=costs.assign(**changes), speeds=speeds.assign(**changes)
    )


def test_the_model_s_efficiency_records_are_on_its_page(tmp_path: Path) -> None:
    board = with_sweeps(boards.run("pam-1.5b", images=2))
    run = runs_of(board)[0]
    found = run_efficiency.efficiency_tables(board, run)
    assert {table.hardware for table in found} == set(board.speeds["hardware"])
    own = board.speeds[board.speeds["model"] == "pam-1.5b"]
    assert sum(len(table.rows) for table in found) == len(own)
    assert any(row[2] == "out of memory" for table in found for row in table.rows)
    first = found[0].rows[0]
    assert first[:2] == ("1", "together")
    point = own[(own["hardware"] == found[0].hardware) & (own["instances"] == 1)].iloc[0]
    assert float(first[2].replace(",", "")) == pytest.approx(point["regions_per_second"], rel=0.01)
    assert float(first[3].replace(",", "")) == pytest.approx(point["seconds_p50"] * 1e3, rel=0.01)
    cost = board.costs[(board.costs["model"] == "pam-1.5b") & (board.costs["instances"] == 1)]
    flops = cost.iloc[0][["vision_flops", "prefill_flops", "decode_flops"]].sum()
    assert float(first[5]) == pytest.approx(flops / 1e12, rel=0.01)
    page = write_site(board, tmp_path).parent / "runs" / f"{run.run}.html"
    text = page.read_text(encoding="utf-8")
    assert 'href="../../../efficiency.html"' in text
    assert all(hardware in text for hardware in set(board.speeds["hardware"]))


def test_records_of_the_same_checkpoint_and_settings_count_too() -> None:
    made = boards.run("my-name", images=2)
    own = {name: made.row[name] for name in ("adapter", "checkpoint_digest", "settings")}
    board = with_sweeps(made, **own)
    assert run_efficiency.efficiency_tables(board, runs_of(board)[0])
    for name in own:
        other = with_sweeps(made, **{**own, name: "another"})
        assert run_efficiency.efficiency_tables(other, runs_of(other)[0]) == ()


def test_a_model_that_was_not_measured_has_no_such_section(tmp_path: Path) -> None:
    board = with_sweeps(boards.run("a", images=2))
    run = runs_of(board)[0]
    write_site(board, tmp_path)
    assert 'id="efficiency"' not in (tmp_path / "runs" / f"{run.run}.html").read_text()
