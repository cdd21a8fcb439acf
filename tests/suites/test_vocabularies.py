"""The vocabularies that ship, and vocabularies from users' files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metrics.class_matching import TEMPLATE
from suites.vocabularies import (
    Vocabulary,
    VocabularyError,
    load_vocabulary,
    read_vocabulary,
    vocabulary_names,
)

# Name: classes, things, first digits of the digest. Another digest makes other scores.
SHIPPED = {
    "ade20k-150": (150, 100, "d22e47359a067585"),
    "ade20k-847": (847, None, "b5d0c82a340337ea"),
    "cityscapes-19": (19, 8, "6ad11f6a2cf3cb55"),
    "coco-stuff-171": (171, 80, "911c2b1f0067335d"),
    "pascal-context-459": (459, None, "b348a5b9c1cea78a"),
    "pascal-context-59": (59, None, "835fc42a53096bb4"),
}


def test_these_vocabularies_ship() -> None:
    assert vocabulary_names() == tuple(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_vocabulary_is_complete_and_unchanged(name: str) -> None:
    classes, things, digest = SHIPPED[name]
    vocabulary = load_vocabulary(name)
    assert vocabulary.name == name
    assert len(vocabulary) == len(vocabulary.synonyms) == classes
    assert (vocabulary.things and sum(vocabulary.things)) == things
    assert "Apache-2.0" in vocabulary.source
    assert vocabulary.template == TEMPLATE == "There is a {} in the scene."
    assert vocabulary.digest.startswith(digest)
    assert all(text == text.strip() for names in vocabulary.synonyms for text in names)


@pytest.mark.parametrize(
    ("name", "golden", "first"),
    [("ade20k-150", "ade20k_150", 1), ("cityscapes-19", "cityscapes_19", 0)],
)
def test_names_and_things_are_those_of_ospreys_script(
    goldens: Path, name: str, golden: str, first: int
) -> None:
    classes = json.loads((goldens / "osprey_eval" / "class_names.json").read_text())[golden]
    vocabulary = load_vocabulary(name)
    # The script counts a repeated name twice, which changes no maximum.
    names = [tuple(dict.fromkeys(klass["synonyms"])) for klass in classes]
    assert list(vocabulary.synonyms) == names
    assert vocabulary.things == tuple(klass["isthing"] == 1 for klass in classes)
    assert vocabulary.ids == tuple(range(first, first + len(classes)))


@pytest.mark.parametrize(
    ("name", "identifier", "label"),
    [
        ("ade20k-150", 150, "flag"),
        ("ade20k-847", 1, "wall"),
        ("cityscapes-19", 18, "bicycle"),
        ("coco-stuff-171", 90, "toothbrush"),
        ("coco-stuff-171", 182, "wood"),
        ("pascal-context-459", 1, "accordion"),
        ("pascal-context-59", 59, "wood piece"),
    ],
)
def test_classes_carry_the_datasets_numbers(name: str, identifier: int, label: str) -> None:
    vocabulary = load_vocabulary(name)
    assert vocabulary.labels[vocabulary.ids.index(identifier)] == label


@pytest.mark.shared
def test_the_scene_parsing_challenge_has_the_same_150_classes(shared: Path) -> None:
    table = shared / "data" / "ade20k_150" / "ADEChallengeData2016" / "objectInfo150.txt"
    official = [
        {name.strip() for name in line.split("\t")[-1].split(",")}
        for line in table.read_text().splitlines()[1:]
    ]
    synonyms = load_vocabulary("ade20k-150").synonyms
    renamed = {26, 64, 83, 140}  # house, blind, light, fan: FC-CLIP describes them otherwise
    for number, (wanted, names) in enumerate(zip(official, synonyms, strict=True), start=1):
        assert number in renamed or wanted & set(names), (number, wanted, names)


@pytest.mark.shared
def test_the_instance_challenge_has_the_same_100_things(shared: Path) -> None:
    table = shared / "data" / "ade20k_150" / "ade20k_instance_catid_mapping.txt"
    official = {int(line.split()[1]) for line in table.read_text().splitlines()[1:]}
    vocabulary = load_vocabulary("ade20k-150")
    flags = vocabulary.thing_flags()
    assert {i for i, thing in zip(vocabulary.ids, flags, strict=True) if thing} == official


def _written(folder: Path, content: str) -> Path:
    path = folder / "mine.txt"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_users_file_is_read_as_the_field_writes_it(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        "\ufeff# Any comment: kept out\n"
        "# source: a friend,\n# source: last year\n# things: 7\n# template: a {}!\n\n"
        "0:invalid_class_id\n3: tree , trees,tree\n7:dog:ear\n",
    )
    assert load_vocabulary(path) == Vocabulary(
        name="mine",
        ids=(3, 7),
        synonyms=(("tree", "trees"), ("dog:ear",)),
        things=(False, True),
        source="a friend, last year",
        template="a {}!",
    )


def test_the_digest_covers_what_decides_scores_and_nothing_else(tmp_path: Path) -> None:
    plain = read_vocabulary(_written(tmp_path, "1:a,b\n2:c\n")).digest
    assert read_vocabulary(_written(tmp_path, "# note\n1: a, b\r\n2:c")).digest == plain
    changed = ["1:a\n2:c\n", "1:a,b\n3:c\n", "2:c\n1:a,b\n", "# things: 2\n1:a,b\n2:c\n"]
    changed += ["1:b,a\n2:c\n", "# template: {}\n1:a,b\n2:c\n"]
    digests = {read_vocabulary(_written(tmp_path, content)).digest for content in changed}
    assert len(digests) == len(changed)
    assert plain not in digests


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1:a\nb\n", "line 2: expected `id:name,synonym,…`, found 'b'"),
        ("1:a\n\nx:b\n", "line 3: a class id is a whole number, not 'x'"),
        ("-1:a\n", "line 1: a class id is a whole number, not '-1'"),
        ("1" * 5000 + ":a\n", "line 1: a class id is a whole number"),
        ("1:a\n1:b\n", "line 2: class id 1 is listed before"),
        ("1:a,,b\n", "line 1: a name is empty"),
        ("1:\n", "line 1: a name is empty"),
        ("1:a\n# things: 2\n", "line 2: thing 2 is not the id of a class"),
        ("# things: one\n1:a\n", "line 1: a class id is a whole number, not 'one'"),
        ("# template: a photo\n1:a\n", "line 1: the template needs one {}"),
        ("# nothing\n0:invalid_class_id\n", "holds no class"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(VocabularyError) as raised:
        load_vocabulary(_written(tmp_path, content))
    assert "mine.txt" in str(raised.value)
    assert message in str(raised.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"absent\.txt cannot be read: No such file"):
        load_vocabulary(tmp_path / "absent.txt")
    with pytest.raises(VocabularyError, match="cannot be read: Is a directory"):
        load_vocabulary(tmp_path)
    (tmp_path / "latin.txt").write_bytes("1:café\n".encode("latin-1"))
    with pytest.raises(VocabularyError, match=r"latin\.txt is not UTF-8"):
        load_vocabulary(tmp_path / "latin.txt")


def test_a_misspelt_name_gets_the_nearest_names() -> None:
    with pytest.raises(VocabularyError, match="did you mean ade20k-150, ade20k-847"):
        load_vocabulary("ade20k150")


def test_a_vocabulary_without_things_says_how_to_tell_them() -> None:
    with pytest.raises(VocabularyError, match="add a line `# things: ID ID …`"):
        load_vocabulary("pascal-context-59").thing_flags()
