"""Asking a model about a suite: what is not yet answered, one picture after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from adapters.interface import (
    Answer,
    Generation,
    RegionQuery,
    RegionRecognizer,
    SettingError,
    Status,
    UnsupportedTask,
)
from bench.identity import Asker, answer_identities, picture_digest, pixel_digest
from bench.part_writer import PartWriter
from bench.records import AnswerRow
from suites.base import ImageRecord, PictureError, Suite

READERS = 4
IMAGES_AHEAD = 12
_TRIES = 2
_WARNINGS_KEPT = 20

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(slots=True)
class Tally:
    """What one session did: images and regions seen and asked."""

    images: int = 0
    regions: int = 0
    images_asked: int = 0
    regions_asked: int = 0
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Keep a message once, and only the first few of many."""
        if message not in self.warnings and len(self.warnings) < _WARNINGS_KEPT:
            self.warnings.append(message)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One image with what remains to be asked about it.

    ``wanted`` are positions into the record's regions; ``query`` is ``None`` where nothing
    remains or the picture cannot be read, which ``problem`` then says.
    """

    record: ImageRecord
    identities: Sequence[str]
    wanted: Sequence[int]
    query: RegionQuery | None
    problem: str | None = None


def predict(
    suite: Suite,
    recognizer: RegionRecognizer,
    asker: Asker,
    store: PartWriter,
    *,
    images: int,
    answered: Mapping[str, str],
    tally: Tally,
    report: Callable[[Tally], None],
) -> None:
    """Ask about every region of the first ``images`` images that has no final answer.

    Pictures are read and decoded ahead by threads; answers are stored by another. Every picture is
    a question of its own, handed over to be stored as soon as it is answered: an interruption costs
    the picture in progress alone. A picture that cannot be read, or that the adapter fails on
    twice, makes errors of that image's regions.

    Args:
        suite: what is asked about.
        recognizer: who is asked.
        asker: the recognizer's part of every answer's identity.
        store: takes the answers.
        images: how much of the index to cover.
        answered: identity of the final answer stored for a region, by region id.
        tally: counts, kept up to date.
        report: called after every image.

    Raises:
        UnsupportedTask: the model has no prompt for the suite's task.
        SettingError: a setting of the model cannot be used on this suite.
        StoreError: answers cannot be stored.
    """

    def prepare(index: int) -> Prepared:
        return _prepare(suite, asker, answered, index)

    for image in _ahead(prepare, range(images)):
        given: list[Answer] | None = None
        if image.query is not None:
            query = _narrowed(image.query, image.wanted, asker)
            given = _ask(recognizer, query, suite.generation)
            tally.images_asked += 1
            tally.regions_asked += len(query.region_ids)
        rows = _rows(image, given, asker)
        tally.images += 1
        tally.regions += len(image.record.region_ids)
        if image.problem is not None:
            tally.warn(image.problem)
        for row in rows:
            if row.error is not None and row.status == Status.ERRORED:
                tally.warn(row.error)
        if rows:
            store.put(rows)
        report(tally)


def _prepare(suite: Suite, asker: Asker, answered: Mapping[str, str], index: int) -> Prepared:
    record = suite.record(index)
    content = picture_digest(record.path)
    query: RegionQuery | None = None
    try:
        if content is None:
            query = suite.query(index)  # raises where the suite cannot draw the picture itself
            content = pixel_digest(query.image)
        identities = answer_identities(asker, content, record.masks)
        wanted = [
            position
            for position, region in enumerate(record.region_ids)
            if answered.get(region) != identities[position]
        ]
        if not wanted:
            return Prepared(record, identities, wanted, None)
        return Prepared(record, identities, wanted, query or suite.query(index))
    except PictureError as error:
        unanswered = [i for i, region in enumerate(record.region_ids) if region not in answered]
        return Prepared(record, [""] * len(record.region_ids), unanswered, None, str(error))


def _narrowed(query: RegionQuery, wanted: Sequence[int], asker: Asker) -> RegionQuery:
    """The question about the wanted regions only, unless the others are its context."""
    if asker.context_dependent:
        return query
    return replace(
        query,
        masks=[query.masks[i] for i in wanted],
        boxes=None if query.boxes is None else [query.boxes[i] for i in wanted],
        region_ids=[query.region_ids[i] for i in wanted],
    )


def _rows(image: Prepared, given: Sequence[Answer] | None, asker: Asker) -> list[AnswerRow]:
    record = image.record
    if given is None:
        given = [Answer.errored(image.problem or "")] * len(image.wanted)
    elif asker.context_dependent:
        given = [given[i] for i in image.wanted]
    return [
        AnswerRow.of(record.region_ids[i], record.image_id, image.identities[i], answer)
        for i, answer in zip(image.wanted, given, strict=True)
    ]


def _ask(recognizer: RegionRecognizer, query: RegionQuery, generation: Generation) -> list[Answer]:
    """One picture's answers; errors, where the adapter fails at every try."""
    problem = ""
    for _ in range(_TRIES):
        try:
            given = recognizer.recognize([query], generation)
            if len(given) != 1:
                raise ValueError(f"the adapter gave {len(given)} lists of answers for one picture")
            answers = given[0]
            if len(answers) != len(query.region_ids):
                raise ValueError(
                    f"the adapter gave {len(answers)} answers for {len(query.region_ids)} regions"
                )
            return answers
        except (SettingError, UnsupportedTask):
            raise  # every other image would fail in the same way
        except Exception as error:
            problem = f"image {query.image_id}: {type(error).__name__}: {error}"
    return [Answer.errored(problem)] * len(query.region_ids)


def _ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """``make(item)`` in order, with a bounded number of items worked on ahead by threads."""
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > IMAGES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
