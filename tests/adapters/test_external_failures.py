"""Workers that break, hang, or say what the protocol does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.external import ENTRY, adapter
from adapters.external import supervisor as supervising
from adapters.external.adapter import ExternalRecognizer
from adapters.external.errors import WorkerError
from adapters.interface import Answer, Status
from tests.adapters.external_fakes import (
    GENERATION,
    Load,
    alive,
    gone,
    query,
    starts,
    write_worker,
)

WELL = "    else:\n        reply(request)\n"


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    return tmp_path / "worker.py"


@pytest.fixture
def load(worker: Path) -> Iterator[Load]:
    """Starts a worker of this body; ends it with the test."""
    loaded: list[ExternalRecognizer] = []

    def start(body: str, **options: Any) -> ExternalRecognizer:
        options = {"timeout_s": 10, "start_timeout_s": 10, **options}
        recognizer = ENTRY.load(command=write_worker(worker, body), **options)
        assert isinstance(recognizer, ExternalRecognizer)
        loaded.append(recognizer)
        return recognizer

    yield start
    for recognizer in loaded:
        recognizer.close()


def on_second(*lines: str) -> str:
    """A worker that answers well but does this on the second request of its first life."""
    body = "say(HELLO)\nfor request in requests():\n"
    body += "    if request['id'] == 2 and LIFE == 1:\n"
    return body + "".join(f"        {line}\n" for line in lines) + WELL


def ask(recognizer: ExternalRecognizer, name: str) -> list[Answer]:
    (answers,) = recognizer.recognize([query(f"{name}/1", f"{name}/2", image_id=name)], GENERATION)
    return answers


def error(answers: list[Answer]) -> str:
    """The one reason why all of a picture's regions have no answer."""
    assert {answer.status for answer in answers} == {Status.ERRORED}
    (reason,) = {answer.error for answer in answers}
    assert reason is not None
    return reason


@pytest.mark.parametrize(
    ("does", "message"),
    [
        (["os._exit(7)"], "exited with code 7"),
        (["os.kill(os.getpid(), signal.SIGKILL)"], "was killed by signal 9 (Killed)"),
        (["raise RuntimeError('out of paint')"], "last on standard error: 'RuntimeError: out of"),
        (["os.close(1)", "time.sleep(60)"], "closed its standard output"),
        (["say('Loading model')"], "line 3 of its output, 'Loading model': not a JSON object"),
        (["say('')"], "line 3 of its output, '': not a JSON object"),
        (["say('[1]')"], "line 3 of its output, '[1]': the line is not a JSON object"),
        (["say('[' * 100_000)"], "not a JSON object"),
        (["os.write(1, b'\\xff\\n')"], "not a JSON object in UTF-8"),
        (["say({'id': 1, 'answers': []})"], "`id` is 1, the request's was 2"),
        (["say({'answers': []})"], "`id` is None, the request's was 2"),
        (["say('x' * 17_000_000)"], "wrote more than 16 MiB"),
        (["while True: os.write(1, b'x' * 65536)"], "wrote more than 16 MiB"),
    ],
)
def test_a_worker_out_of_step_costs_one_picture_and_is_started_again(
    load: Load, worker: Path, does: list[str], message: str
) -> None:
    recognizer = load(on_second(*does))
    asked = [query(f"{name}/1", f"{name}/2", image_id=name) for name in "abc"]
    first, second, third = recognizer.recognize(asked, GENERATION)
    assert [answer.text for answer in first + third] == ["a/1", "a/2", "c/1", "c/2"]
    assert message in error(second)
    assert error(second).startswith("image 'b': worker `")
    assert "worker.py" in error(second)
    assert starts(worker) == 2


def test_a_worker_that_hangs_is_ended_after_its_time(load: Load, worker: Path) -> None:
    recognizer = load(on_second("time.sleep(600)"), timeout_s=1)
    assert [answer.text for answer in ask(recognizer, "a")] == ["a/1", "a/2"]
    assert "no answer within 1 seconds" in error(ask(recognizer, "b"))
    assert [answer.text for answer in ask(recognizer, "c")] == ["c/1", "c/2"]
    assert starts(worker) == 2


def test_a_worker_that_writes_on_and_on_is_ended_after_its_time(load: Load) -> None:
    body = "say(HELLO)\nwhile True:\n    os.write(1, b'.')\n    time.sleep(0.01)\n"
    assert "no answer within 0.2 seconds" in error(ask(load(body, timeout_s=0.2), "a"))


def test_a_worker_that_does_not_read_is_ended_after_its_time(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "REQUEST_REGIONS", 5000)
    recognizer = load("say(HELLO); time.sleep(600)", timeout_s=0.2)
    many = query(*map(str, range(5000)))  # more than a pipe holds
    (answers,) = recognizer.recognize([many], GENERATION)
    assert "no answer within 0.2 seconds" in error(answers)


def test_what_is_printed_after_a_reply_is_found_out(load: Load, worker: Path) -> None:
    recognizer = load(
        "say(HELLO)\nfor request in requests():\n    reply(request)\n"
        "    if LIFE == 1:\n        say('done')\n"
    )
    assert ask(recognizer, "a")[0].text == "a/1"
    assert "'done': not a JSON object" in error(ask(recognizer, "b"))
    assert ask(recognizer, "c")[0].text == "c/1"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("[{'text': 'one'}]", "`answers` holds 1 answers to 2 regions"),
        ("answers(request) * 2", "`answers` holds 4 answers to 2 regions"),
        ("None", "`answers` is not a list"),
        ("['cat', 'dog']", "answer 0 is not a JSON object"),
        ("[{'text': 'a'}, {'text': 3}]", "answer 1: `text` is not a string"),
        ("[{'text': 'a'}, {}]", "answer 1: `text` is not a string"),
        ("[{'txt': 'a'}] * 2", "unknown key 'txt'; did you mean 'text'"),
        ("[{'text': 'a', 'token_ids': [True]}] * 2", "a token id is not a whole number"),
        ("[{'text': 'a', 'token_ids': [2**31]}] * 2", "a token id is not a whole number"),
        ("[{'text': 'a', 'token_ids': 'xy'}] * 2", "`token_ids` is not a list"),
        ("[{'text': 'a', 'finish_reason': 'eos'}] * 2", "`finish_reason` is not one of stop"),
        ("[{'text': 'a', 'prompt_tokens': -1}] * 2", "`prompt_tokens` is not a whole number"),
        ("[{'text': 'a', 'status': 'fine'}] * 2", "`status` is not one of answered"),
        ("[{'text': '', 'status': 'answered'}] * 2", "`status` is 'answered' but its text is ''"),
        ("[{'status': 'errored'}] * 2", "answer 0: `error` is not a string"),
    ],
)
def test_answers_that_cannot_be_used_cost_one_picture_and_no_restart(
    load: Load, worker: Path, answers: str, message: str
) -> None:
    recognizer = load(on_second(f"say({{'id': 2, 'answers': {answers}}})"))
    ask(recognizer, "a")
    told = error(ask(recognizer, "b"))
    assert message in told
    assert 'line 3 of its output, \'{"id": 2' in told
    assert ask(recognizer, "c")[0].text == "c/1"
    assert starts(worker) == 1


def test_an_unknown_key_beside_the_answers_is_refused(load: Load) -> None:
    recognizer = load(on_second("say({'id': 2, 'answer': answers(request)})"))
    ask(recognizer, "a")
    assert "the reply has an unknown key 'answer'; did you mean" in error(ask(recognizer, "b"))


def test_a_worker_that_goes_on_failing_is_started_again_so_often_and_no_more(
    load: Load, worker: Path
) -> None:
    recognizer = load("say(HELLO)\nfor request in requests():\n    os._exit(1)\n", restarts=2)
    errors = [error(ask(recognizer, name)) for name in "abcde"]
    assert ["exited with code 1" in told for told in errors] == [True] * 3 + [False] * 2
    assert "was started again 2 times already (setting `restarts`)" in errors[3]
    assert starts(worker) == 3


def test_a_worker_that_cannot_be_started_again_costs_the_pictures_meanwhile(load: Load) -> None:
    recognizer = load("if LIFE == 2:\n    sys.exit('no GPU left')\n" + on_second("os._exit(1)"))
    ask(recognizer, "a")
    assert "exited with code 1" in error(ask(recognizer, "b"))
    assert "no handshake: exited with code 1; its standard error ends with:\nno GPU left" in error(
        ask(recognizer, "c")
    )
    assert ask(recognizer, "d")[0].text == "d/1"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("{'model': {'name': 'fake', 'version': str(LIFE)}}", "version"),
        ("{'settings': {'beams': LIFE}}", "settings"),
        ("{'device': 'GPU' if LIFE == 1 else 'CPU'}", "device"),
        ("{'prompts': {'category': 'What' + '?' * LIFE}}", "prompts"),
    ],
)
def test_a_worker_that_comes_back_as_another_model_is_never_asked(
    load: Load, worker: Path, change: str, name: str
) -> None:
    recognizer = load(on_second("os._exit(1)").replace("HELLO", f"HELLO | {change}", 1))
    for picture in "ab":
        ask(recognizer, picture)
    for picture in "cd":
        assert f"calls itself another model (changed: {name})" in error(ask(recognizer, picture))
    assert starts(worker) == 2


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("'Loading checkpoint shards'", "line 1 of its output, 'Loading checkpoint shards': not a"),
        ("{}", "`protocol` is None, expected 'regionbench-worker'"),
        ("HELLO | {'protocol': 'other'}", "`protocol` is 'other'"),
        ("HELLO | {'version': 2}", "`version` is 2, this regionbench speaks version 1"),
        ("HELLO | {'version': True}", "`version` is True"),
        ("HELLO | {'setings': {}}", "unknown key 'setings'; did you mean 'settings'"),
        ("HELLO | {'model': 'x'}", "`model` is not a JSON object"),
        ("HELLO | {'model': {'version': '1'}}", "`model.name` is not a string"),
        ("HELLO | {'model': {'name': 'x'}}", "neither `version` nor `digest`"),
        ("HELLO | {'model': {'name': 'x', 'version': ' '}}", "`model.version` must be one line"),
        ("HELLO | {'model': {'name': 'a\\nb', 'version': '1'}}", "`model.name` must be one line"),
        ("HELLO | {'model': HELLO['model'] | {'parameters': 1.5}}", "`model.parameters` is not"),
        ("HELLO | {'model': HELLO['model'] | {'license': 'x'}}", "did you mean 'licence'"),
        ("HELLO | {'prompts': {}}", "names no task; tasks are: category, phrase, description"),
        ("HELLO | {'prompts': {'categories': ''}}", "did you mean 'category'"),
        ("HELLO | {'prompts': {'category': 1}}", "`prompts.category` is not a string"),
        ("HELLO | {'prompts': {'category': '\\ud800'}}", "lone surrogate"),
        ("HELLO | {'settings': {'a': [1]}}", "`settings.a` is not a string, a number"),
        ("HELLO | {'settings': {'a': float('nan')}}", "`settings.a` is not a finite number"),
        ("HELLO | {'device': ['cuda']}", "`device` is not a string"),
        ("HELLO | {'device': ''}", "`device` must be one line"),
        ("HELLO | {'context_dependent': 1}", "`context_dependent` is neither true nor false"),
    ],
)
def test_a_handshake_that_cannot_be_used_is_refused(load: Load, first: str, message: str) -> None:
    with pytest.raises(WorkerError) as refused:
        load(f"say({first}); sys.stdin.read()")
    assert message in str(refused.value)
    assert "worker.py`: no handshake: " in str(refused.value)


def test_a_worker_that_dies_at_its_start_is_quoted(load: Load) -> None:
    with pytest.raises(WorkerError) as refused:
        load("import no_such_package")
    assert "no handshake: exited with code 1" in str(refused.value)
    assert str(refused.value).endswith("ModuleNotFoundError: No module named 'no_such_package'")


def test_a_worker_that_never_says_what_it_is_is_refused_after_its_time(load: Load) -> None:
    with pytest.raises(WorkerError, match=r"no handshake: no answer within 0\.3 seconds"):
        load("time.sleep(600)", start_timeout_s=0.3)


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(WorkerError, match=r"'no-such-program' cannot be started: .*No such file"):
        ENTRY.load(command="no-such-program --fast")


STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0:
    time.sleep(600)
say(HELLO)
for request in requests():
    say({"id": request["id"], "answers": [{"text": str(os.getpid())}, {"text": str(child)}]})
"""


def test_a_worker_that_reads_to_the_end_ends_by_itself_and_its_children_with_it(load: Load) -> None:
    recognizer = load(STUBBORN + "print('by itself', file=sys.stderr)")
    processes = [int(answer.text) for answer in ask(recognizer, "a")]
    assert all(alive(process) for process in processes)
    recognizer.close()
    assert all(gone(process) for process in processes)


def test_a_worker_that_will_not_end_is_killed_with_its_children(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "PATIENCE", 0.1)
    monkeypatch.setattr("adapters.external.process._TERMINATION", 0.1)
    recognizer = load(STUBBORN + "time.sleep(600)")
    processes = [int(answer.text) for answer in ask(recognizer, "a")]
    recognizer.close()
    assert all(gone(process) for process in processes)


def test_no_process_is_left_of_a_worker_that_failed(load: Load) -> None:
    recognizer = load(
        "child = os.fork()\nif child == 0:\n    time.sleep(600)\nsay(HELLO)\n"
        "for request in requests():\n    sys.exit(str(child))\n"
    )
    told = error(ask(recognizer, "a"))
    assert gone(int(told.rpartition("standard error: '")[2].rstrip("'")))
