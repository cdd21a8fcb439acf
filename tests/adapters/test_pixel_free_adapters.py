"""Replay and the baselines: adapters that look at no pixel."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import PIL.Image
import pytest

import adapters
from adapters.interface import (
    RLE,
    CheckpointError,
    Generation,
    RegionQuery,
    SettingError,
    Status,
    Task,
    UnknownAdapter,
)

GENERATION = Generation(max_new_tokens=8)


def query(*region_ids: str) -> RegionQuery:
    return RegionQuery(
        image_id="1",
        image=PIL.Image.new("RGB", (4, 4)),
        image_path=None,
        masks=[RLE((4, 4), "04L0")] * len(region_ids),
        boxes=None,
        region_ids=region_ids,
        task=Task.CATEGORY,
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.jsonl",
            '{"region_id": "1/2", "text": "cat, black"}\n\n{"region_id": "1/3", "text": ""}\n',
        ),
        ("a.csv", '\ufeffregion_id,text,extra\n1/2,"cat, black",x\n1/3,,x\n'),
    ],
)
def test_replay_repeats_the_file_and_never_guesses(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    replay = adapters.load("replay", path)
    (answers,) = replay.recognize([query("1/3", "1/2", "9/9")], GENERATION)
    assert [a.status for a in answers] == [Status.EMPTY, Status.ANSWERED, Status.ERRORED]
    assert answers[1].text == "cat, black"
    assert answers[2].error is not None
    assert "'9/9'" in answers[2].error


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"region_id": "1", "text": "a"}\n{"region_id"', "line 2: not JSON"),
        ("a.jsonl", '{"region_id": 1, "text": "a"}\n', "line 1: needs the strings"),
        (
            "a.jsonl",
            '{"region_id": "1", "text": "a"}\n' * 2,
            "line 2: region '1' is ans",
        ),
        ("a.csv", "id,text\n1,a\n", "line 1: the header .* names `region_id` not at all"),
        ("a.txt", "", "must end in .jsonl or .csv"),
    ],
)
def test_replay_names_the_line_it_cannot_read(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        adapters.load("replay", path)


def test_replay_refuses_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"region_id,text\n1,\xff\xfe\n")
    with pytest.raises(CheckpointError, match="not UTF-8"):
        adapters.load("replay", path)


def test_majority_answers_the_most_frequent_label(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("dog\ncat\n\ncat\ndog\nbird\n", encoding="utf-8")
    (answers,) = adapters.load("majority", path).recognize([query("1", "2")], GENERATION)
    assert [a.text for a in answers] == ["cat", "cat"]


def test_random_depends_on_seed_and_region_alone_and_follows_frequency(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("dog\n" * 3 + "cat\n", encoding="utf-8")
    ids = [str(i) for i in range(4000)]
    (forward,) = adapters.load("random", path, seed=1).recognize([query(*ids)], GENERATION)
    (backward,) = adapters.load("random", path, seed=1).recognize([query(*ids[::-1])], GENERATION)
    (other,) = adapters.load("random", path, seed=2).recognize([query(*ids)], GENERATION)
    texts = [a.text for a in forward]
    assert texts == [a.text for a in backward][::-1]
    assert texts != [a.text for a in other]
    assert Counter(texts)["dog"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_cards_tell_two_files_apart_and_never_show_a_path(tmp_path: Path) -> None:
    for name, label in (("x", "dog"), ("y", "cat")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.txt").write_text(label, encoding="utf-8")
    cards = [adapters.load("majority", tmp_path / n / "labels.txt").card for n in ("x", "y")]
    assert cards[0].checkpoint == cards[1].checkpoint == "labels.txt"
    assert cards[0].checkpoint_digest != cards[1].checkpoint_digest


def test_a_misspelt_adapter_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownAdapter, match="did you mean 'wow-seg'"):
        adapters.load("wowseg", "x")


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="has no setting 'scale'"):
        adapters.load("replay", tmp_path / "a.csv", scale=2)


@pytest.mark.parametrize("name", ["replay", "majority", "random"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.csv"):
        adapters.load(name, tmp_path / "nowhere.csv")
    with pytest.raises(CheckpointError, match="as checkpoint"):
        adapters.load(name)
