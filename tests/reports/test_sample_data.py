"""The data of the sample browser, read back from its scripts."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports import paths
from reports.data_scripts import column, script
from reports.frames import Picture, SuitePictures
from reports.records import runs_of
from reports.region_values import NO_SCORE, worst_first
from reports.sample_data import LONGEST_TEXT, SHARD_SIZE, sample_files
from reports.suite_files import picture_files, shard_of, suite_folder, suite_scripts
from tests.reports import boards, samples
from tests.reports.samples import read_script


def written(made: boards.Made) -> dict[str, Any]:
    """The run's scripts by name, decoded."""
    run = runs_of(boards.board([made]))[0]
    return {
        path.removeprefix("x/"): read_script(content)
        for path, content in sample_files(run, made.page.regions, "x")
    }


def values(packed: dict[str, str]) -> list[int]:
    kind = np.dtype(f"<{packed['kind']}")
    found: list[int] = np.frombuffer(base64.b64decode(packed["data"]), kind).tolist()
    return found


def with_regions(made: boards.Made, regions: pd.DataFrame) -> boards.Made:
    return boards.Made(made.row, made.scores, dataclasses.replace(made.page, regions=regions))


def test_the_index_is_in_the_order_of_the_region_ids() -> None:
    made = boards.run("a", images=40, skill=0.6)
    index = written(with_regions(made, made.page.regions.sample(frac=1, random_state=0)))[
        "index.js"
    ]
    regions = made.page.regions.sort_values("region_id")
    assert index["regions"] == len(regions)
    assert values(index["scores"]) == np.rint(regions[samples.MAIN] * 10_000).astype(int).tolist()
    names = [index["categories"][number] for number in values(index["category"])]
    assert names == regions["category"].tolist()
    assert {index["statuses"][number] for number in values(index["status"])} == {"answered"}
    assert index["metrics"] == list(boards.METRICS)
    assert (index["protocol"], index["encoder"]) == (samples.PROTOCOL, made.row["encoder"])


def test_the_shards_hold_every_region_worst_first() -> None:
    made = boards.run("a", images=300, skill=0.5)
    found = written(made)
    shards = [found[name] for name in sorted(found) if name != "index.js"]
    sizes = [len(shard["region"]) for shard in shards]
    assert sizes[:-1] == [SHARD_SIZE] * (len(shards) - 1)
    run = runs_of(boards.board([made]))[0]
    ordered = worst_first(run, made.page.regions)
    rounded = [round(value, 4) for value in ordered[samples.MAIN]]
    joined = {
        name: [item for shard in shards for item in shard[name]]
        for name in ("region", "image", "reference", "text")
    }
    shown = [score for shard in shards for score in shard["scores"][0]]
    assert [score / 10_000 for score in shown] == rounded
    by_region = made.page.regions.set_index("region_id")
    own = by_region.loc[joined["region"]]
    assert own["image_id"].tolist() == joined["image"]
    assert own["reference"].tolist() == joined["reference"]
    assert own["text"].tolist() == joined["text"]


def test_regions_without_a_score_lie_last_and_hold_none() -> None:
    made = samples.classed("a")
    found = written(made)
    scores = values(found["index.js"]["scores"])
    assert [scores[56], scores[57]] == [NO_SCORE, NO_SCORE]
    assert found["0000.js"]["scores"][0][-2:] == [None, None]
    assert found["0000.js"]["region"][-2:] == ["014/0056", "014/0057"]


def test_predicted_classes_are_columns_of_the_same_names() -> None:
    made = samples.classed("a")
    index = written(made)["index.js"]
    predicted = made.page.regions["predicted"]
    named = [index["categories"][n] if n != 65535 else "" for n in values(index["predicted"])]
    assert named == predicted.tolist()
    assert written(boards.run("b", images=2))["index.js"]["predicted"] is None


def test_equal_answers_have_equal_fingerprints() -> None:
    made = boards.run("a", images=30, skill=0.5)
    prints = values(written(made)["index.js"]["answer"])
    texts = made.page.regions["text"].tolist()
    assert len(set(zip(texts, prints, strict=True))) == len(set(texts)) == len(set(prints))


def test_two_runs_of_the_same_regions_know_each_other() -> None:
    one = written(boards.run("a", images=9, seed=1))["index.js"]
    made = boards.run("a", images=9, seed=1)
    texts = made.page.regions.assign(text="another answer")
    assert written(with_regions(made, texts))["index.js"]["regions_digest"] == one["regions_digest"]
    fewer = with_regions(made, made.page.regions.iloc[1:])
    assert written(fewer)["index.js"]["regions_digest"] != one["regions_digest"]


@pytest.mark.parametrize("text", [*boards.HOSTILE, "line\u2028and paragraph\u2029separators"])
def test_hostile_texts_come_back_as_they_are_from_plain_ascii(text: str) -> None:
    made = boards.run("a", images=1, texts=[text])
    regions = made.page.regions
    regions["reference"] = pd.Series([text] * len(regions), dtype=object)
    regions["category"] = pd.Series([text] * len(regions), dtype=object)
    run = runs_of(boards.board([made]))[0]
    files = dict(sample_files(run, regions, "x"))
    for content in files.values():
        assert all(byte in range(0x20, 0x7F) for byte in content.rstrip(b"\n"))
        assert b"<" not in content
    shard = read_script(files["x/0000.js"])
    assert shard["text"][0] == text[:LONGEST_TEXT]
    assert shard["reference"][0] == text[:LONGEST_TEXT]
    assert read_script(files["x/index.js"])["categories"] == [text]


def test_a_text_of_100000_characters_is_cut_and_its_length_told() -> None:
    made = boards.run("a", images=1, texts=["x" * 100_000])
    shard = written(made)["0000.js"]
    assert len(shard["text"][0]) == LONGEST_TEXT
    assert shard["cut"] == {"reference": {}, "text": {"0": 100_000}}


def test_a_column_is_little_endian_whatever_the_machine() -> None:
    assert column([1, -2], "i2") == {
        "kind": "i2",
        "data": base64.b64encode(b"\1\0\xfe\xff").decode(),
    }


def test_a_script_with_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        script({"value": float("nan")})


def test_the_runs_of_a_suite_are_listed_with_where_they_lie() -> None:
    made = [boards.run("b", images=2), boards.run("a b", images=2), boards.run("c", suite="lvis")]
    board = boards.board(made)
    found = {path: read_script(content) for path, content in suite_scripts(board, runs_of(board))}
    shapes = f"{suite_folder(boards.suite_digest('shapes'))}/suite.js"
    assert set(found) == {shapes, f"{suite_folder(boards.suite_digest('lvis'))}/suite.js"}
    runs: Any = found[shapes]["runs"]
    assert [run["model"] for run in runs] == ["a b", "b"]
    assert [run["stem"] for run in runs] == [paths.run_stem(made[n].row["run"]) for n in (1, 0)]
    assert (found[shapes]["shards"], found[shapes]["licence"]) == (0, "")


def test_pictures_lie_beside_their_outlines_under_plain_names() -> None:
    hostile = [
        "../../up",
        "a b",
        "plain-1",
        "</script>\u2028",
        "x" * 300,
        "IMG",
        "img",
        "Img",
        "con",
    ]
    source = SuitePictures(
        "ab" * 32,
        "",
        "CC0",
        "",
        len(hostile),
        lambda: iter(Picture(name, 4, 3, b"jpeg", {"r": "M0 0"}) for name in hostile),
    )
    files = dict(picture_files(source))
    shard = read_script(files["pictures/abababababab/outlines-0000.js"])
    entries: Any = shard["pictures"]
    assert list(entries) == hostile
    names = [entry["file"] for entry in entries.values()]
    assert [files[f"pictures/abababababab/{name}"] for name in names] == [b"jpeg"] * len(hostile)
    assert len({name.lower() for name in names}) == len(hostile)
    assert all(paths.slug(name.removesuffix(".jpg")) == name.removesuffix(".jpg") for name in names)
    assert len(files) == len(hostile) + 1


def test_left_out_pictures_keep_their_size_and_outlines() -> None:
    made = boards.run("a", images=40)
    files = dict(picture_files(samples.pictures(made, shown=False)))
    assert all(path.endswith(".js") for path in files)
    entries: dict[str, Any] = {}
    for content in files.values():
        entries |= read_script(content)["pictures"]
    assert set(entries) == set(made.page.regions["image_id"])
    assert {(entry["width"], entry["height"]) for entry in entries.values()} == {(160, 120)}
    assert {r for entry in entries.values() for r in entry["outlines"]} == set(
        made.page.regions["region_id"]
    )


def test_every_shard_of_outlines_is_there_even_an_empty_one() -> None:
    source = dataclasses.replace(samples.pictures(boards.run("a", images=1)), images=64)
    names = [path for path, _ in picture_files(source) if path.endswith(".js")]
    assert [name[-7:-3] for name in names] == ["0000", "0001", "0002", "0003"]


def test_equal_pictures_give_equal_bytes() -> None:
    made = boards.run("a", images=40)
    assert dict(picture_files(samples.pictures(made))) == dict(
        picture_files(samples.pictures(made))
    )


@pytest.mark.parametrize("image_id", ["", "validation-000007", "日本/\U0001f600", "\ud800"])
def test_an_image_s_shard_is_its_ids_hash(image_id: str) -> None:
    found = 2166136261
    data = image_id.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(data), 2):
        found = ((found ^ int.from_bytes(data[at : at + 2], "big")) * 16777619) % 2**32
    assert shard_of(image_id, 7) == found % 7


def test_the_scripts_parse_as_json_between_their_brackets() -> None:
    content = script({"text": "</script>\u2028\ud800\x00"})
    assert json.loads(content[len("regionbenchData(") : -3]) == {
        "text": "</script>\u2028\ud800\x00"
    }
