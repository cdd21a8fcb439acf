from __future__ import annotations

from pathlib import Path

import pytest

from suites.base import SuiteOptionError
from suites.segmentation.ade20k_sets import ADE20K_PANOPTIC, ADE150, ADE847
from suites.segmentation.cityscapes_sets import CITYSCAPES, CITYSCAPES_PANOPTIC
from suites.segmentation.class_names import class_names
from suites.segmentation.prepare.ade20k_full import class_of_object
from suites.segmentation.sets import MaskSet, PanopticSet
from suites.segmentation.web_sets import COCO_STUFF, PASCAL_CONTEXT_459
from suites.vocabularies import VocabularyError
from tests.suites.segmentation_files import (
    BED,
    PERSON,
    WALL,
    Panoptic,
    opened,
    scored,
    true_answers,
    values,
    write_ade20k,
)

SETS = [
    ADE150,
    ADE847,
    ADE20K_PANOPTIC,
    CITYSCAPES,
    CITYSCAPES_PANOPTIC,
    COCO_STUFF,
    PASCAL_CONTEXT_459,
]
ROOM = Panoptic.of([[1, 1, 1, 1], [2, 2, 3, 3]], {1: WALL, 2: BED, 3: PERSON})


@pytest.mark.parametrize("described", SETS, ids=lambda s: s.card.name)
def test_every_set_has_a_label_and_a_number_for_each_of_its_classes(
    described: MaskSet | PanopticSet,
) -> None:
    names = class_names(described.classes(), None, None)
    assert len(set(names.labels)) == len(names.classes)
    assert len(described.rule.labels) == len(names.classes)
    assert len(set(described.rule.labels) | set(described.rule.ignored)) == len(
        described.rule.labels
    ) + len(described.rule.ignored)
    assert described.card.expected is not None
    assert described.card.expected.categories == len(names.classes)


@pytest.mark.parametrize(
    ("described", "difference"),
    [(ADE150, 0), (ADE847, 1), (COCO_STUFF, 1), (PASCAL_CONTEXT_459, 1)],
)
def test_maps_number_classes_as_their_vocabulary_says(described: MaskSet, difference: int) -> None:
    ids = described.classes().ids
    assert described.rule.labels == tuple(i - difference for i in ids)


def test_cityscapes_label_ids_are_those_of_the_official_scripts() -> None:
    labels = pytest.importorskip("cityscapesscripts.helpers.labels")
    used = [label for label in labels.labels if not label.ignoreInEval]
    evaluated = sorted(used, key=lambda label: label.trainId)
    assert CITYSCAPES.rule.labels == tuple(label.id for label in evaluated)
    assert CITYSCAPES.classes().labels == tuple(label.name for label in evaluated)
    assert CITYSCAPES_PANOPTIC.classes().things == tuple(label.hasInstances for label in evaluated)


def test_classes_of_the_full_release_agree_with_the_150_classes_mapping(shared: Path) -> None:
    # 150 classes, some of several objects; one object, of two, is not among the 847.
    lines = (shared / "data" / "ade20k_150" / "mapFromADE.txt").read_text().splitlines()
    pairs = [(int(a), int(b)) for a, b in (line.split() for line in lines)]
    small, large = ADE150.classes(), ADE847.classes()
    classes = class_of_object()
    known = [(first, int(classes[full])) for first, full in pairs if classes[full] < len(large)]
    assert len(known) == len(pairs) - 1
    shares = [
        bool(set(small.synonyms[first - 1]) & set(large.synonyms[full])) for first, full in known
    ]
    assert sum(shares) > 0.9 * len(shares)


def test_classes_that_share_a_first_name_are_told_apart_by_all_their_names() -> None:
    labels = class_names(ADE847.classes(), None, None).labels
    assert {"pot", "pot, flowerpot"} <= set(labels)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_ade20k(tmp_path / "ade", {"room": ROOM})
    return tmp_path / "ade"


def own_vocabulary(path: Path, **changed: str) -> Path:
    own = ADE150.classes()
    names = {str(i): label for i, label in zip(own.ids, own.labels, strict=True)}
    names |= {key.removeprefix("id"): value for key, value in changed.items()}
    path.write_text("\n".join(f"{i}:{name}" for i, name in names.items()), encoding="utf-8")
    return path


def test_answers_are_matched_with_a_users_own_names(root: Path, tmp_path: Path) -> None:
    file = own_vocabulary(tmp_path / "mine.txt", id8="futon,divan")
    suite = opened("ade20k-panoptic", root, vocabulary=str(file))
    answers = true_answers(suite)
    answers["text"] = answers["text"].replace("bed", "divan")
    scores = scored(suite, answers)
    assert values(scores)["pq"] == 1.0
    assert scores.settings["vocabulary"] == "mine"
    assert len(scores.settings["vocabulary_digest"]) == 64


def test_other_names_or_another_template_are_another_protocol(root: Path, tmp_path: Path) -> None:
    file = own_vocabulary(tmp_path / "mine.txt")
    options = [{}, {"vocabulary": str(file)}, {"template": "A photo of a {}."}]
    protocols = [opened("ade20k-panoptic", root, **o).card.protocol for o in options]
    assert protocols[0] == "gtmask-osprey-v1"
    assert all(protocol.startswith("gtmask-osprey-v1+") for protocol in protocols[1:])
    assert len(set(protocols)) == 3


def test_answers_stay_valid_under_another_vocabulary(root: Path, tmp_path: Path) -> None:
    file = own_vocabulary(tmp_path / "mine.txt", id8="divan")
    plain, other = (
        opened("ade20k-panoptic", root),
        opened("ade20k-panoptic", root, vocabulary=str(file)),
    )
    assert plain.digest == other.digest
    assert plain.record(0).labels == other.record(0).labels


def test_a_vocabulary_of_other_classes_is_refused_with_what_differs(
    root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("1:wall\n2:building\n999:unicorn\n", encoding="utf-8")
    with pytest.raises(SuiteOptionError, match=r"lacks id 3, 4, 5, 6, 7, …; it also names id 999"):
        opened("ade20k-panoptic", root, vocabulary=str(file))


def test_a_missing_vocabulary_and_a_bad_template_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"nowhere\.txt"):
        opened("ade20k-panoptic", root, vocabulary=str(tmp_path / "nowhere.txt"))
    with pytest.raises(SuiteOptionError, match=r"one \{\} where the name goes"):
        opened("ade20k-panoptic", root, template="no place")
