"""Result files of the published evaluation scripts, matched to a suite's regions.

Neither script writes region ids. WOW-Seg's ``single_mask_infer.py`` writes the image id and, in
the annotation file's order, answers and labels of the masks it did not leave out; Osprey's
``lvis_paco_eval.py`` writes no file but prints answer and label of every region in turn. The
labels are compared with the suite's own, and whatever does not fit in one way only is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adapters.interface import Answer, FinishReason
from adapters.json_text import parse_json
from bench.errors import ImportFileError
from bench.suite_regions import ImageRegions, SuiteRegions
from metrics.text import clean_osprey_reference, normalise_wowseg_label

_PREDICTION = re.compile(r"\[prediction\]: ( ?)(.*)")
_LABEL = re.compile(r"\[gt category\]: (.*)")
VANISHED = "left out of the result file, as the script does with a mask that vanishes when resized"


class Pair(NamedTuple):
    """One answer with the label the script compared it with."""

    text: str
    label: str


def read_wow_seg_results(paths: Sequence[Path], regions: SuiteRegions) -> dict[str, Answer]:
    """Answers by region id from files of ``single_mask_infer.py``, or folders of them.

    A region whose mask the script left out is ``unanswerable``.

    Raises:
        ImportFileError: not such a file, an image occurs twice or is not the suite's, or its
            labels do not tell which of the suite's regions were answered.
    """
    answers: dict[str, Answer] = {}
    seen: dict[str, str] = {}
    for path in _files(paths):
        for number, item in enumerate(_read_list(path)):
            where = f"{path}, entry {number}"
            image_id, pairs = _wow_seg_item(item, where)
            image = regions.image(image_id, where)
            if image.image_id in seen:
                raise ImportFileError(
                    f"{where}: image {image_id!r} is in {seen[image.image_id]} already; "
                    "keep the results of one run only"
                )
            seen[image.image_id] = where
            answers |= _matched(image, pairs, normalise_wowseg_label, where)
    return answers


def read_osprey_log(path: Path, annotations: Path, regions: SuiteRegions) -> dict[str, Answer]:
    """Answers by region id from what ``lvis_paco_eval.py`` printed.

    The log names no image: ``annotations`` is the file the script was run with, whose order it
    follows. A log that ends early is accepted; the rest is missing. Answers are as the script
    prints them, cleaned its way.

    Raises:
        ImportFileError: a label in the log is not the annotation's, or an image is not the
            suite's.
    """
    pairs = _logged(path)
    answers: dict[str, Answer] = {}
    for number, item in enumerate(_read_list(annotations)):
        where = f"{annotations}, entry {number}"
        try:
            image_id, labels = str(item["id"]), [str(label) for label in item["categories"]]
        except (KeyError, TypeError) as error:
            raise ImportFileError(f"{where} has no {error}; expected id and categories") from error
        printed = [pair for _, pair in zip(labels, pairs, strict=False)]
        if labels and not printed:
            break
        image = regions.image(image_id, where)
        if list(image.labels) != labels:
            raise ImportFileError(
                f"{where}: its labels are not those of image {image.image_id!r} of the suite "
                f"{regions.name}; give the annotation file the suite was built from"
            )
        count = len(printed)
        part = ImageRegions(image_id, image.region_ids[:count], image.labels[:count])
        answers |= _matched(part, printed, clean_osprey_reference, f"{path}, image {image_id!r}")
    if (extra := next(pairs, None)) is not None:
        raise ImportFileError(
            f"{path} has more answers than {annotations} has regions, from {extra.text!r} on; "
            "it is a log of several runs, or of another file"
        )
    return answers


def _matched(
    image: ImageRegions, pairs: Sequence[Pair], clean: Callable[[str], str], where: str
) -> dict[str, Answer]:
    """The image's answers, where the pairs' labels are some of its labels in its order."""
    labels = [clean(label) for label in image.labels]
    given = [pair.label for pair in pairs]
    positions = _only_subsequence(given, labels)
    if positions is None:
        ways = "in several ways" if _embeds(given, labels) else "not"
        raise ImportFileError(
            f"{where}: its labels {given} fit the suite's {labels} {ways}, so it cannot be told "
            "which region was answered; write region_id and text as JSON lines instead"
        )
    texts = dict(zip(positions, (pair.text for pair in pairs), strict=True))
    return {
        region: Answer.generated(texts[i], (), FinishReason.NONE, 0)
        if i in texts
        else Answer.unanswerable(VANISHED)
        for i, region in enumerate(image.region_ids)
    }


def _only_subsequence(part: Sequence[str], whole: Sequence[str]) -> list[int] | None:
    """Positions of ``part`` in ``whole`` if it is a subsequence in exactly one way.

    The leftmost and the rightmost embedding are the same where there is only one.
    """
    first = _leftmost(part, whole)
    last = _leftmost(part[::-1], whole[::-1])
    if first is None or last is None:
        return None
    return first if first == [len(whole) - 1 - i for i in reversed(last)] else None


def _embeds(part: Sequence[str], whole: Sequence[str]) -> bool:
    return _leftmost(part, whole) is not None


def _leftmost(part: Sequence[str], whole: Sequence[str]) -> list[int] | None:
    positions, start = [], 0
    for label in part:
        try:
            start = whole.index(label, start) + 1
        except ValueError:
            return None
        positions.append(start - 1)
    return positions


def _wow_seg_item(item: Any, where: str) -> tuple[str, list[Pair]]:
    try:
        image_id, texts, labels = str(item["id"]), item["pred_labels"], item["gt_labels"]
    except (KeyError, TypeError) as error:
        raise ImportFileError(
            f"{where} is no entry of single_mask_infer.py; expected id, pred_labels, gt_labels"
        ) from error
    if not _texts(texts) or not _texts(labels) or len(texts) != len(labels):
        raise ImportFileError(
            f"{where}: pred_labels and gt_labels must be lists of texts of one length"
        )
    return image_id, [Pair(*pair) for pair in zip(texts, labels, strict=True)]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _logged(path: Path) -> Iterator[Pair]:
    """Pairs of a log; an answer may run over several lines, other lines are passed over."""
    text: list[str] | None = None
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if found := _PREDICTION.search(line):
            text = [found[2]]
        elif found := _LABEL.search(line):
            if text is None:
                raise ImportFileError(f"{path}: a [gt category] line has no [prediction] before it")
            yield Pair("\n".join(text), found[1])
            text = None
        elif text is not None:
            text.append(line)


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ImportFileError(f"no .json files in {', '.join(map(str, paths))}")
    return files


def _read_list(path: Path) -> list[Any]:
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImportFileError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(value, list):
        raise ImportFileError(f"{path} must hold a list of images")
    return value
