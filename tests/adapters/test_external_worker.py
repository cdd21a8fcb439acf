"""A worker that keeps to the protocol: what it is asked, and what becomes of its answers."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from adapters.external import ENTRY, adapter
from adapters.external.adapter import ExternalRecognizer
from adapters.external.handshake import read_handshake
from adapters.external.messages import read_reply, request_line
from adapters.external.pictures import write_png
from adapters.interface import (
    RLE,
    Answer,
    Box,
    FinishReason,
    Generation,
    SettingError,
    Status,
    Task,
    UnsupportedTask,
)
from adapters.lifecycle import Closes, KeepsLog
from bench.efficiency.hardware import driver
from bench.efficiency.meter import Meter
from tests.adapters.external_fakes import (
    GENERATION,
    HEIGHT,
    WIDTH,
    Load,
    encode,
    query,
    rectangle,
    write_worker,
)

ECHO = """
say(HELLO)
for request in requests():
    text = json.dumps(request)
    say({"id": request["id"], "answers": [{"text": text} for _ in request["regions"]]})
"""


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Starts a worker of this body; ends it with the test."""
    loaded: list[ExternalRecognizer] = []

    def start(body: str, checkpoint: str | None = None, **options: Any) -> ExternalRecognizer:
        command = write_worker(tmp_path / "worker.py", body)
        recognizer = ENTRY.load(checkpoint, command=command, **options)
        assert isinstance(recognizer, ExternalRecognizer)
        loaded.append(recognizer)
        return recognizer

    yield start
    for recognizer in loaded:
        recognizer.close()


def echoed(answer: Answer) -> dict[str, Any]:
    request = json.loads(answer.text)
    assert isinstance(request, dict)
    return request


@pytest.fixture
def documented(repository: Path) -> Path:
    return repository / "docs" / "examples" / "external_worker.py"


def test_the_documented_worker_names_the_colour_under_each_mask(documented: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:, :6], pixels[:, 6:] = (215, 25, 35), (35, 85, 235)
    asked = query("left", "right", masks=[rectangle(1, 0, 5, 6), rectangle(0, 6, 8, 12)])
    recognizer = ENTRY.load(command=f"'{sys.executable}' '{documented}'")
    assert isinstance(recognizer, ExternalRecognizer)
    try:
        asked.image.paste(PIL.Image.fromarray(pixels))
        (answers,) = recognizer.recognize([asked], GENERATION)
    finally:
        recognizer.close()
    assert [answer.text for answer in answers] == ["red", "blue"]
    assert recognizer.card.checkpoint == "mean-colour"


def test_the_documented_worker_decodes_masks_as_pycocotools_does(documented: Path) -> None:
    tree = ast.parse(documented.read_text(encoding="utf-8"))
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names: dict[str, Any] = {"np": np}
    exec(compile(ast.Module([function], []), documented.name, "exec"), names)
    random = np.random.default_rng(0)
    masks = [random.random((37, 53)) < share for share in (0.0, 0.01, 0.5, 0.99, 1.0)]
    long = np.zeros((900, 700), dtype=np.bool_)
    long[3:5, 600] = long[800:, 0] = True
    for mask in [*masks, long]:
        rle = encode(mask)
        assert np.array_equal(names["decode"]({"size": rle.size, "counts": rle.counts}), mask)


def test_the_document_shows_the_worker_as_it_is_in_at_most_40_lines(
    repository: Path, documented: Path
) -> None:
    source = documented.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 40
    document = (repository / "docs" / "external_models.md").read_text(encoding="utf-8")
    assert f"```python\n{source}```" in document


def test_the_documents_lines_are_the_protocols(repository: Path) -> None:
    document = (repository / "docs" / "external_models.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", document, flags=re.DOTALL)
    handshake, request, reply = [block.replace("\n", "").encode() for block in blocks]
    assert read_handshake(handshake).context_dependent is False
    shown = json.loads(request)
    asked = query("139/1", masks=[rectangle(0, 0, 2, 2)], boxes=[Box(10, 20, 30, 40)])
    made = json.loads(request_line(1, Path("/a"), asked, "", GENERATION))
    assert list(shown) == list(made)
    assert list(shown["regions"][0]) == list(made["regions"][0])
    assert read_reply(reply, 1, regions=1) == [
        Answer("cat", (4719,), Status.ANSWERED, FinishReason.STOP, 311)
    ]


def test_a_request_holds_the_question_and_nothing_else(load: Load, tmp_path: Path) -> None:
    picture = tmp_path / "pïcture.png"
    PIL.Image.new("RGB", (WIDTH, HEIGHT)).save(picture)
    masks, boxes = (
        [rectangle(0, 0, 2, 2), rectangle(1, 2, 5, 6)],
        [Box(0, 0, 2, 2), Box(2, 1, 4, 4)],
    )
    asked = query("ä/1", "ä/2", masks=masks, boxes=boxes, picture=picture)
    ((answer, _),) = load(ECHO).recognize([asked], Generation(8, forced_tokens=4))
    assert echoed(answer) == {
        "protocol": "regionbench-worker",
        "version": 1,
        "id": 1,
        "image_id": "cat",
        "image": str(picture),
        "regions": [
            {"id": region, "mask": {"size": [HEIGHT, WIDTH], "counts": mask.counts}, "box": [*box]}
            for region, mask, box in zip(asked.region_ids, masks, boxes, strict=True)
        ],
        "task": "category",
        "prompt": "What?",
        "max_new_tokens": 8,
        "forced_tokens": 4,
    }


def test_a_relative_picture_is_handed_on_as_an_absolute_path(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PIL.Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    ((answer,),) = load(ECHO).recognize([query("1", picture=Path("a.png"))], GENERATION)
    assert echoed(answer)["image"] == str(tmp_path / "a.png")
    assert echoed(answer)["regions"][0]["box"] is None


def test_a_picture_without_a_file_is_written_for_the_worker_and_removed(
    load: Load, tmp_path: Path
) -> None:
    recognizer = load("""
say(HELLO)
for request in requests():
    Path(__file__).with_name("seen.png").write_bytes(Path(request["image"]).read_bytes())
    say({"id": request["id"], "answers": [{"text": request["image"]}]})
""")
    asked = query("1", picture=Path("nowhere.png"))
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    asked.image.paste(PIL.Image.fromarray(noise))
    ((answer,),) = recognizer.recognize([asked], GENERATION)
    written = Path(answer.text)
    assert np.array_equal(np.asarray(PIL.Image.open(tmp_path / "seen.png")), noise)
    assert written.is_absolute()
    assert not written.exists()
    recognizer.close()
    assert not written.parent.exists()


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_written_picture_keeps_every_pixel(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (301, 203, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(noise).convert(mode)
    write_png(image, tmp_path / "a.png")
    with PIL.Image.open(tmp_path / "a.png") as found:
        found.verify()
    with PIL.Image.open(tmp_path / "a.png") as found:
        assert (found.format, found.mode, found.size) == ("PNG", mode, image.size)
        assert np.array_equal(np.asarray(found), np.asarray(image))


def test_a_picture_is_written_without_looking_for_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's own way takes six times as long, and sweeps count it as the model's time."""

    def refuse(*inputs: object, **options: object) -> None:
        raise AssertionError

    monkeypatch.setattr(PIL.Image.Image, "save", refuse)
    write_png(PIL.Image.new("RGB", (64, 48)), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 64 * 48 * 3


def test_masks_that_cannot_be_asked_are_answered_without_the_worker(load: Load) -> None:
    masks = [
        rectangle(0, 0, 0, 0),
        rectangle(0, 0, 2, 2),
        RLE((HEIGHT, WIDTH), "x"),
        RLE((1, 1), "01"),
    ]
    (answers,) = load(ECHO).recognize([query("1", "2", "3", "4", masks=masks)], GENERATION)
    assert [answer.status for answer in answers] == [
        Status.UNANSWERABLE,
        Status.ANSWERED,
        Status.ERRORED,
        Status.ERRORED,
    ]
    assert [region["id"] for region in echoed(answers[1])["regions"]] == ["2"]
    assert answers[2].error is not None
    assert "'cat', region '3'" in answers[2].error


def test_a_picture_with_nothing_to_ask_is_not_sent(load: Load) -> None:
    recognizer = load("say(HELLO)")  # and is gone
    empty = query("1", masks=[rectangle(0, 0, 0, 0)])
    assert recognizer.recognize([empty, query()], GENERATION) == [
        [Answer.unanswerable("the mask is empty")],
        [],
    ]


def test_answers_keep_everything_the_worker_says(load: Load) -> None:
    said = [
        {"text": "a cat", "token_ids": [1, 2], "finish_reason": "length", "prompt_tokens": 30},
        {"text": "dog", "status": "answered"},
        {"text": " "},
        {"status": "unanswerable", "error": "too small"},
        {"status": "errored", "error": "out of memory"},
    ]
    recognizer = load(f"""
say(HELLO)
for request in requests():
    say({{"id": request["id"], "answers": {said!r}}})
""")
    (answers,) = recognizer.recognize([query(*"12345")], GENERATION)
    assert answers == [
        Answer("a cat", (1, 2), Status.ANSWERED, FinishReason.LENGTH, 30),
        Answer("dog", (), Status.ANSWERED, FinishReason.NONE, 0),
        Answer(" ", (), Status.EMPTY, FinishReason.NONE, 0),
        Answer.unanswerable("too small"),
        Answer.errored("out of memory"),
    ]


def test_a_task_without_a_prompt_is_refused_before_anything_is_asked(load: Load) -> None:
    recognizer = load("say(HELLO)")
    with pytest.raises(UnsupportedTask, match=r"fake 1 .* has no prompt for 'phrase'.*`prompts`"):
        recognizer.recognize([query("1"), query("2", task=Task.PHRASE)], GENERATION)


def test_neither_side_waits_for_the_other_to_read(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "REQUEST_REGIONS", 2000)
    recognizer = load("""
say(HELLO)
request = ""
while not request.endswith("\\n"):
    request += sys.stdin.read(1)
    if len(request) % 100 == 0:
        print(" " * 1_000, end="", flush=True)  # blanks, which JSON allows
reply(json.loads(request))
""")
    ids = [str(number) for number in range(2000)]
    (answers,) = recognizer.recognize([query(*ids)], GENERATION)
    assert [answer.text for answer in answers] == ids


def test_the_card_says_what_the_handshake_said(load: Load) -> None:
    card = load("""
say(HELLO | {
    "model": {"name": "my model", "version": "2", "digest": "abc", "parameters": 7,
              "dtype": "float16", "licence": "MIT", "base_model": "their model"},
    "prompts": {"category": "What?", "phrase": ""},
    "settings": {"beams": 1, "crop": True, "scale": 1.5, "style": "x", "seed": None},
    "context_dependent": True,
    "device": "cuda: NVIDIA H100",
})
sys.stdin.read()
""").card
    assert (card.name, card.checkpoint, card.parameters) == ("external", "my model 2", 7)
    assert (card.dtype, card.licence, card.base_model) == ("float16", "MIT", "their model")
    assert card.prompts == {Task.CATEGORY: "What?", Task.PHRASE: ""}
    assert card.settings == {"beams": 1, "crop": True, "scale": 1.5, "style": "x", "seed": None}
    assert card.context_dependent
    assert card.device == "external: cuda: NVIDIA H100"


def test_a_device_is_never_taken_for_one_of_this_machine(load: Load) -> None:
    body = "say(HELLO | {}); sys.stdin.read()"
    assert load(body.format({})).card.device == "external"
    named = load(body.format({"device": "cuda:0"})).card
    assert Meter(named.device).device is None
    assert driver(named.device) is None
    assert named.checkpoint_digest == load(body.format({})).card.checkpoint_digest


def test_another_name_version_or_digest_is_another_checkpoint(load: Load) -> None:
    models = [
        {"name": "a", "version": "1"},
        {"name": "b", "version": "1"},
        {"name": "a", "version": "2"},
        {"name": "a", "digest": "1"},
        {"name": "a", "version": "1", "digest": "1"},
    ]
    body = "say(HELLO | {{'model': {}}}); sys.stdin.read()"
    digests = [load(body.format(model)).card.checkpoint_digest for model in models]
    assert len(set(digests)) == len(models)


def test_how_a_worker_is_started_is_not_part_of_what_it_is(load: Load) -> None:
    first = load(ECHO)
    second = load(ECHO + "#", timeout_s=5, start_timeout_s=50, restarts=1, device="cuda:1")
    assert first.card == second.card


def test_the_worker_is_told_how_it_was_asked_for(load: Load) -> None:
    recognizer = load(
        """
say(HELLO)
for request in requests():
    told = {k: v for k, v in os.environ.items() if k.startswith("REGIONBENCH_")}
    told.pop("REGIONBENCH_REQUIRE_BROWSER", None)  # set for the tests themselves
    say({"id": request["id"], "answers": [{"text": json.dumps(told)}]})
""",
        checkpoint="/models/mine",
        device="cuda:1",
        seed=3,
    )
    ((answer,),) = recognizer.recognize([query("1")], GENERATION)
    assert echoed(answer) == {
        "REGIONBENCH_CHECKPOINT": "/models/mine",
        "REGIONBENCH_DEVICE": "cuda:1",
        "REGIONBENCH_DTYPE": "auto",
        "REGIONBENCH_SEED": "3",
    }


def test_it_keeps_a_log_and_can_be_closed(load: Load) -> None:
    recognizer = load(ECHO)
    assert isinstance(recognizer, KeepsLog)
    assert isinstance(recognizer, Closes)
    recognizer.close()
    recognizer.close()
    ((answer,),) = recognizer.recognize([query("1")], GENERATION)
    assert answer.error is not None
    assert "it was closed" in answer.error


def test_standard_error_from_before_the_log_is_kept_and_later_lines_follow_it(
    load: Load, tmp_path: Path
) -> None:
    recognizer = load("""
print("loading", file=sys.stderr)
say(HELLO)
for request in requests():
    print("asked", request["regions"][0]["id"], file=sys.stderr)
    reply(request)
print("bye", file=sys.stderr)
""")
    first, second = tmp_path / "one" / "logs" / "model.log", tmp_path / "two" / "model.log"
    recognizer.log_to(first)
    recognizer.recognize([query("a")], GENERATION)
    recognizer.log_to(first)
    recognizer.recognize([query("b")], GENERATION)
    recognizer.log_to(second)
    recognizer.recognize([query("c")], GENERATION)
    recognizer.close()
    begun, *rest = first.read_text().splitlines()
    assert begun.startswith("--- started ")
    assert begun.endswith("worker.py")
    assert [*rest, *second.read_text().splitlines()] == [
        *("loading", "asked a", "asked b", "asked c", "bye")
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no command"),
        ({"command": "  "}, "no command"),
        ({"command": "python 'worker.py"}, "cannot be split into words"),
        ({"command": 3}, "command is 3, expected text"),
        ({"command": "x", "timeout_s": 0}, "timeout_s is 0"),
        ({"command": "x", "start_timeout_s": "long"}, "start_timeout_s is 'long'"),
        ({"command": "x", "restarts": -1}, "restarts is -1"),
        ({"comand": "x"}, "did you mean 'command'"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        ENTRY.load(**settings)


def test_there_are_no_presets() -> None:
    with pytest.raises(SettingError, match="no presets"):
        ENTRY.load(preset="big", command=f"{os.devnull}")


def test_hundreds_of_regions_are_asked_in_several_requests(load: Load) -> None:
    recognizer = load("""
say(HELLO)
for request in requests():
    count = str(len(request["regions"]))
    say({"id": request["id"], "answers": [{"text": count} for _ in request["regions"]]})
""")
    size = adapter.REQUEST_REGIONS
    (answers,) = recognizer.recognize([query(*map(str, range(size + 3)))], GENERATION)
    assert [answer.text for answer in answers] == [str(size)] * size + ["3"] * 3
