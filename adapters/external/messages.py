"""Requests to a worker and its replies: one JSON object a line (docs/external_models.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from adapters.external import fields
from adapters.external.errors import Malformed, OutOfStep
from adapters.interface import Answer, FinishReason, Generation, RegionQuery, Status

PROTOCOL = "regionbench-worker"
VERSION = 1
_REPLY_KEYS = ("id", "answers")
_ANSWER_KEYS = ("text", "token_ids", "finish_reason", "prompt_tokens", "status", "error")


def request_line(
    number: int, picture: Path, query: RegionQuery, prompt: str, generation: Generation
) -> bytes:
    """One question as a line.

    Args:
        number: the request's id.
        picture: absolute path of the picture.
        query: the regions to ask about.
        prompt: the worker's own prompt for the query's task.
        generation: decoding limits.
    """
    boxes = [None] * len(query.masks) if query.boxes is None else query.boxes
    request = {
        "protocol": PROTOCOL,
        "version": VERSION,
        "id": number,
        "image_id": query.image_id,
        "image": str(picture),
        "regions": [
            {"id": region, "mask": {"size": list(mask.size), "counts": mask.counts}, "box": box}
            for region, mask, box in zip(query.region_ids, query.masks, boxes, strict=True)
        ],
        "task": query.task.value,
        "prompt": prompt,
        "max_new_tokens": generation.max_new_tokens,
        "forced_tokens": generation.forced_tokens,
    }
    return json.dumps(request, separators=(",", ":")).encode("ascii") + b"\n"


def read_reply(line: bytes, number: int, regions: int) -> list[Answer]:
    """The answers to request ``number`` about so many regions.

    Raises:
        OutOfStep: the line is no reply, or one to another request.
        Malformed: the reply's answers cannot be used.
    """
    try:
        reply = fields.read_object(line)
    except Malformed as error:
        raise OutOfStep(str(error)) from error
    answered = reply.get("id")
    if answered != number or isinstance(answered, bool):
        raise OutOfStep(f"`id` is {answered!r}, the request's was {number}")
    fields.check_keys("the reply", reply, _REPLY_KEYS)
    answers = fields.items("`answers`", reply.get("answers"))
    if len(answers) != regions:
        raise Malformed(f"`answers` holds {len(answers)} answers to {regions} regions")
    return [_answer(f"answer {place}", answer) for place, answer in enumerate(answers)]


def _answer(name: str, value: object) -> Answer:
    given = fields.mapping(name, value)
    fields.check_keys(name, given, _ANSWER_KEYS)
    status = (
        fields.choice(f"{name}: `status`", given["status"], Status) if "status" in given else None
    )
    if status is Status.UNANSWERABLE:
        return Answer.unanswerable(_reason(name, given))
    if status is Status.ERRORED:
        return Answer.errored(_reason(name, given))
    answer = Answer.generated(
        fields.text(f"{name}: `text`", given.get("text")),
        [
            fields.token_count(f"{name}: a token id", token)
            for token in fields.items(f"{name}: `token_ids`", given.get("token_ids", []))
        ],
        fields.choice(f"{name}: `finish_reason`", given.get("finish_reason", "none"), FinishReason),
        fields.token_count(f"{name}: `prompt_tokens`", given.get("prompt_tokens", 0)),
    )
    if status not in (None, answer.status):
        raise Malformed(f"{name}: `status` is {status.value!r} but its text is {answer.text!r}")
    return answer


def _reason(name: str, given: Mapping[str, object]) -> str:
    """Why a region has no answer; the worker has to say it."""
    return fields.label(f"{name}: `error`", given.get("error"))
