"""Answers made elsewhere: JSON lines, CSV, and what the published scripts leave behind."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.errors import ImportFileError
from bench.result_files import VANISHED, read_osprey_log, read_wow_seg_results
from bench.store import stored_runs
from bench.suite_regions import ImageRegions, SuiteRegions
from metrics.text import clean_osprey_prediction
from tests.bench.fakes import FakeSuite
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]
REGIONS = SuiteRegions(
    "lvis v1",
    {
        "7": ImageRegions(
            "000000000007", ("7/0", "7/1", "7/2"), ("T-shirt", "cup", "salmon_(fish)")
        ),
        "9": ImageRegions("9", ("9/0", "9/1", "9/2"), ("cup", "cup", "dog:ear")),
    },
)


def right_answers(folder: Path) -> dict[str, str]:
    suite = FakeSuite(folder / "pictures", 10)
    return {
        region: label
        for record in (suite.record(i) for i in range(len(suite)))
        for region, label in zip(record.region_ids, record.labels, strict=True)
    }


def json_lines(path: Path, answers: Mapping[str, str]) -> Path:
    rows = (json.dumps({"region_id": r, "text": t}) for r, t in answers.items())
    path.write_text("\n".join(rows) + "\n")
    return path


def test_json_lines_are_scored_like_any_run(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = json_lines(workplace / "theirs.jsonl", right_answers(workplace))
    assert bench("import", path, "--suite", "stripes", "--model", "theirs") == 0
    shown = capsys.readouterr().out
    assert "100.00" in shown
    (run,) = stored_runs(workplace / "runs")
    assert run.name.startswith("stripes/theirs/")
    manifest = run.manifest()
    assert (manifest.model.adapter, manifest.model.checkpoint) == ("import", "theirs.jsonl")
    assert "theirs" in (workplace / "site" / "index.html").read_text()


def test_csv_says_the_same_as_json_lines(bench: Bench, workplace: Path) -> None:
    answers = right_answers(workplace)
    with (workplace / "theirs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["region_id", "text"])
        writer.writerows(answers.items())
    bench("import", "theirs.csv", "--suite", "stripes", "--model", "a", "--no-report")
    path = json_lines(workplace / "theirs.jsonl", answers)
    bench("import", path, "--suite", "stripes", "--model", "b", "--no-report")
    first, second = stored_runs(workplace / "runs")
    assert list(first.answers()["text"]) == list(second.answers()["text"])


def test_importing_a_file_twice_stores_it_once(bench: Bench, workplace: Path) -> None:
    path = json_lines(workplace / "theirs.jsonl", right_answers(workplace))
    for _ in range(2):
        assert bench("import", path, "--suite", "stripes", "--model", "m", "--no-report") == 0
    (run,) = stored_runs(workplace / "runs")
    assert len(run.parts()) == 1


def test_importing_a_part_leaves_the_whole_runs_scores_alone(bench: Bench, workplace: Path) -> None:
    path = json_lines(workplace / "theirs.jsonl", right_answers(workplace))
    command = ("import", path, "--suite", "stripes", "--model", "m", "--no-report")
    assert bench(*command) == 0
    (run,) = stored_runs(workplace / "runs")
    whole = run.manifest()
    assert bench(*command, "--limit", 2) == 0
    assert run.manifest().counts == whole.counts
    assert run.manifest().selection == whole.selection
    assert run.manifest().scorings == whole.scorings


def test_regions_without_an_answer_make_the_run_incomplete(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    answers = right_answers(workplace)
    del answers["0003/1"]
    path = json_lines(workplace / "theirs.jsonl", answers)
    assert bench("import", path, "--suite", "stripes", "--model", "m", "--no-report") == 3
    out = capsys.readouterr().out
    assert "1 missing" in out
    assert "incomplete" in out


def test_answers_to_regions_the_suite_does_not_have_are_refused(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    path = json_lines(workplace / "theirs.jsonl", {"0001/0": "cup", "elsewhere/1": "dog"})
    assert bench("import", path, "--suite", "stripes", "--model", "m") == 2
    err = capsys.readouterr().err
    assert "'elsewhere/1'" in err
    assert "bench data index --export" in err


def test_a_file_of_no_known_name_needs_a_format(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    (workplace / "theirs.xyz").write_text("")
    assert bench("import", "theirs.xyz", "--suite", "stripes", "--model", "m") == 2
    assert "--format" in capsys.readouterr().err


def wow_seg(path: Path, *items: tuple[object, Sequence[str], Sequence[str]]) -> Path:
    rows = [
        {"id": i, "image": [f"val2017/{i}.jpg"], "pred_labels": p, "gt_labels": g, "num_masks": 9}
        for i, p, g in items
    ]
    path.write_text(json.dumps(rows))
    return path


def test_wow_seg_results_are_matched_by_image_and_order(tmp_path: Path) -> None:
    path = wow_seg(
        tmp_path / "subset_0.json", ("7", ["shirt", "mug", "fish"], ["T shirt", "cup", "salmon"])
    )
    answers = read_wow_seg_results([path], REGIONS)
    assert {region: answer.text for region, answer in answers.items()} == {
        "7/0": "shirt",
        "7/1": "mug",
        "7/2": "fish",
    }


def test_wow_seg_results_of_a_folder_are_gathered(tmp_path: Path) -> None:
    wow_seg(tmp_path / "0.json", ("7", ["a", "b", "c"], ["T shirt", "cup", "salmon"]))
    wow_seg(tmp_path / "1.json", ("000009", ["d", "e", "f"], ["cup", "cup", "dog: ear"]))
    assert [a.text for a in read_wow_seg_results([tmp_path], REGIONS).values()] == list("abcdef")


def test_a_mask_wow_seg_left_out_is_unanswerable(tmp_path: Path) -> None:
    path = wow_seg(tmp_path / "0.json", ("7", ["shirt", "fish"], ["T shirt", "salmon"]))
    answers = read_wow_seg_results([path], REGIONS)
    assert answers["7/1"].error == VANISHED
    assert answers["7/2"].text == "fish"


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ([("9", ["mug", "ear"], ["cup", "dog: ear"])], "in several ways"),
        ([("7", ["a", "b", "c"], ["cup", "T shirt", "salmon"])], "not"),
        ([("7", ["a"], ["plate"])], "fit the suite's"),
        ([("8", ["a"], ["cup"])], "has no image '8'"),
        ([("7", ["a", "b"], ["cup"])], "of one length"),
        ([("7", [], []), ("7", [], [])], "already"),
    ],
)
def test_wow_seg_results_that_fit_in_no_one_way_are_refused(
    tmp_path: Path, items: list[tuple[object, list[str], list[str]]], complaint: str
) -> None:
    path = wow_seg(tmp_path / "0.json", *items)
    with pytest.raises(ImportFileError, match=r"0\.json, entry") as caught:
        read_wow_seg_results([path], REGIONS)
    assert complaint in str(caught.value)


def test_json_that_is_no_result_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"id": 7}]')
    with pytest.raises(ImportFileError, match="expected id, pred_labels, gt_labels"):
        read_wow_seg_results([tmp_path / "a.json"], REGIONS)
    (tmp_path / "a.json").write_text('{"id": 7')
    with pytest.raises(ImportFileError, match="is not a JSON file"):
        read_wow_seg_results([tmp_path / "a.json"], REGIONS)


def osprey_annotations(path: Path) -> Path:
    """Image 9 before image 7: the script follows the file, the index does not."""
    path.write_text(
        json.dumps(
            [
                {"id": 9, "categories": ["cup", "cup", "dog:ear"]},
                {"id": 7, "categories": ["T-shirt", "cup", "salmon_(fish)"]},
            ]
        )
    )
    return path


def osprey_log(path: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    """What the script prints for three regions an image, with its progress bar between."""
    lines = ["Loading checkpoint shards: 100%"]
    for number, (answer, label) in enumerate(pairs):
        lines += [f"[prediction]:  {clean_osprey_prediction(answer)}", f"[gt category]: {label}"]
        if number % 3 == 2:
            lines += ["sim:0.5, iou:0.25", " 50%|█████     | 1/2 [00:01<00:01]"]
    path.write_text("\n".join(lines) + "\n")
    return path


PRINTED = [
    ("mug.", "cup"),
    ("two\nlines", "cup"),
    ("ear", "dog ear"),
    ("shirt", "T-shirt"),
    ("cup", "cup"),
    ("fish", "salmon (fish)"),
]


def test_an_osprey_log_is_matched_in_the_annotation_files_order(tmp_path: Path) -> None:
    log = osprey_log(tmp_path / "osprey.log", PRINTED)
    answers = read_osprey_log(log, osprey_annotations(tmp_path / "val.json"), REGIONS)
    assert {region: answer.text for region, answer in answers.items()} == {
        "9/0": "mug ",
        "9/1": "two\nlines",
        "9/2": "ear",
        "7/0": "shirt",
        "7/1": "cup",
        "7/2": "fish",
    }


def test_an_osprey_log_that_ends_early_leaves_the_rest_missing(tmp_path: Path) -> None:
    log = osprey_log(tmp_path / "osprey.log", PRINTED[:4])
    answers = read_osprey_log(log, osprey_annotations(tmp_path / "val.json"), REGIONS)
    assert set(answers) == {"9/0", "9/1", "9/2", "7/0"}


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        ([*PRINTED, ("more", "cup")], "more answers than"),
        ([PRINTED[1], PRINTED[2], PRINTED[0], *PRINTED[3:]], "fit the suite's"),
        ([*PRINTED[:3], ("shirt", "shirt")], "fit the suite's"),
    ],
)
def test_an_osprey_log_of_other_annotations_is_refused(
    tmp_path: Path, pairs: list[tuple[str, str]], complaint: str
) -> None:
    log = osprey_log(tmp_path / "osprey.log", pairs)
    with pytest.raises(ImportFileError, match=complaint):
        read_osprey_log(log, osprey_annotations(tmp_path / "val.json"), REGIONS)


def test_an_osprey_log_needs_its_annotation_file(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    osprey_log(workplace / "osprey.log", PRINTED)
    assert bench("import", "osprey.log", "--suite", "stripes", "--model", "m") == 2
    assert "--annotations" in capsys.readouterr().err


def test_wow_seg_results_are_imported_from_the_command_line(bench: Bench, workplace: Path) -> None:
    suite = FakeSuite(workplace / "pictures", 10)
    items = [(r.image_id, r.labels, r.labels) for r in map(suite.record, range(10))]
    results = workplace / "results"
    results.mkdir()
    wow_seg(results / "subset_0.json", *items[:5])
    wow_seg(results / "subset_1.json", *items[5:])
    assert bench("import", results, "--suite", "stripes", "--model", "m", "--no-report") == 0
