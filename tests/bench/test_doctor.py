"""``bench doctor --model``: what a checkpoint lacks, what it needs, what would be run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.adapters import wow_seg_goldens
from tests.adapters.external_fakes import gone, starts, write_worker
from tests.bench.kinds import Bench

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def test_a_configured_model_is_complete_and_the_plan_is_told(
    bench: Bench, capsys: Captured
) -> None:
    assert bench("doctor", "--model", "two") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "would run  adapter: fake" in lines
    assert "would run  dtype: float32" in lines
    assert "would run  prompts.category: What is it?" in lines
    assert "would run  settings.tone: big " in lines
    assert "would run  certificate: none; `bench certify fake` makes one" in lines
    assert lines[-1] == "two (second) is complete"


def test_the_memory_is_told_by_dtype(bench: Bench, capsys: Captured) -> None:
    assert bench("doctor", "--model", "one", "--json") == 0
    values = told(capsys)
    assert values["parameters"] == 7
    assert values["bytes"] == {"float32": 28, "bfloat16": 14, "float16": 14}


def test_a_broken_checkpoint_is_told_with_its_remedy(bench: Bench, capsys: Captured) -> None:
    words = ["doctor", "--model", "one", "--checkpoint", "broken", "--revision", "v2"]
    assert bench(*words) == 2
    out = capsys.readouterr().out
    assert "damaged    paint: revision v2" in out
    assert "→ paint it anew" in out
    assert "one (broken) cannot be run" in out
    assert bench(*words, "--json") == 2
    assert told(capsys)["complete"] is False


def test_a_checkpoint_says_itself_which_adapter_it_is_for(bench: Bench, capsys: Captured) -> None:
    checkpoint = wow_seg_goldens.CHECKPOINT
    assert bench("doctor", "--model", "new", "--checkpoint", checkpoint, "--json") == 0
    values = told(capsys)
    assert (values["adapter"], values["complete"]) == ("wow-seg", True)
    subjects = {finding["subject"] for finding in values["findings"]}
    assert {"configuration", "vision tower", "language model", "tokenizer"} <= subjects


def test_an_incomplete_checkpoint_is_bad(bench: Bench, workplace: Path, capsys: Captured) -> None:
    shutil.copytree(wow_seg_goldens.CHECKPOINT, workplace / "tiny")
    for path in (workplace / "tiny").glob("*.safetensors"):
        path.unlink()
    assert bench("doctor", "--model", "new", "--checkpoint", "tiny", "--json") == 2
    found = {finding["subject"]: finding for finding in told(capsys)["findings"]}
    assert found["weight files"]["verdict"] == "missing"
    assert "no *.safetensors" in found["weight files"]["found"]
    assert found["tokenizer"]["verdict"] == "ok"


def test_another_models_checkpoint_is_told_with_the_adapter_it_is_for(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    shutil.copytree(wow_seg_goldens.CHECKPOINT, workplace / "tiny")
    config = workplace / "tiny" / "config.json"
    config.write_text(json.dumps({"model_type": "llava_qwen"}))
    words = ["doctor", "--model", "new", "--adapter", "wow-seg", "--checkpoint", "tiny"]
    assert bench(*words) == 2
    assert "a checkpoint for the adapter 'pam': --adapter pam" in capsys.readouterr().out
    assert bench(*words, "--json") == 2
    assert told(capsys)["meant_for"] == "pam"


def test_a_checkpoint_that_is_not_there_is_a_finding(bench: Bench, capsys: Captured) -> None:
    words = ["doctor", "--model", "new", "--adapter", "wow-seg", "--checkpoint", "nowhere"]
    assert bench(*words, "--json") == 2
    (finding,) = told(capsys)["findings"]
    assert finding["verdict"] == "missing"
    assert "'nowhere'" in finding["found"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--model", "onw"], "did you mean 'one'"),
        (["--model", "new", "--adapter", "wow-seg"], "no checkpoint to look at"),
        (["--model", "new", "--adapter", "external"], "no command; give the setting `command`"),
        (["--model", "new", "--checkpoint", "pictures"], "give --adapter, one of"),
        (["--model", "new", "--adapter", "replay", "--checkpoint", "a"], "cannot inspect"),
        (["--checkpoint", "a"], "need --model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_looked_at_is_bad_usage(
    bench: Bench, words: list[str], complaint: str, capsys: Captured
) -> None:
    assert bench("doctor", *words) == 2
    assert complaint in capsys.readouterr().err


def configure_program(workplace: Path, body: str) -> Path:
    worker = workplace / "worker.py"
    command = write_worker(worker, body)
    (workplace / "bench.yaml").write_text(
        f'models:\n  mine: {{adapter: external, settings: {{command: "{command}"}}}}\n'
    )
    return worker


def test_a_program_is_started_for_its_handshake_and_ended(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    said = "HELLO | {'settings': {'beams': 1}, 'prompts': {'category': 'What?', 'phrase': ''}}"
    worker = configure_program(
        workplace,
        f"Path('pid').write_text(str(os.getpid()))\nsay({said})\n"
        "for request in requests(): Path('asked').touch()\n",
    )
    assert bench("doctor", "--model", "mine") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "ok         model: fake 1" in lines
    assert "ok         tasks: category, phrase" in lines
    assert "would run  device: its own, told auto" in lines
    assert "would run  prompts.category: What?" in lines
    assert "would run  settings.beams: 1" in lines
    assert lines[-1] == "mine (fake 1) is complete"
    assert starts(worker) == 1
    assert gone(int((workplace / "pid").read_text()))
    assert not (workplace / "asked").exists()


def test_a_program_that_does_not_start_is_a_finding(
    bench: Bench, workplace: Path, capsys: Captured
) -> None:
    configure_program(workplace, "sys.exit('no weights at /models/mine')")
    assert bench("doctor", "--model", "mine") == 2
    out = capsys.readouterr().out
    assert "damaged    handshake: worker" in out
    assert "no weights at /models/mine" in out
    assert "→ start the command by hand" in out
    assert out.splitlines()[-1].endswith("worker.py') cannot be run")
    assert bench("doctor", "--model", "mine", "--json") == 2
    assert told(capsys)["complete"] is False


def test_the_certificate_s_state_is_told(bench: Bench, workplace: Path, capsys: Captured) -> None:
    fixture = workplace / "goldens" / "fake"
    fixture.mkdir(parents=True)
    for difference, state in ((0.0, "passed with these versions"), (1.0, "failed in logits")):
        comparisons = [["logits", "a", difference, 0.5]]
        (fixture / "differences.json").write_text(json.dumps(comparisons))
        bench("certify", "fake", "--fixtures", fixture.parent)
        capsys.readouterr()
        assert bench("doctor", "--model", "one", "--json") == 0
        assert told(capsys)["plan"]["certificate"].startswith(state)
