"""Both readings of Llama's vocabulary give the reference tokenizers' ids."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from adapters.interface import CheckpointError
from adapters.llama_tokenizer import (
    FastLlamaTokenizer,
    LlamaTokenizer,
    load_fast_tokenizer,
    load_slow_tokenizer,
    standin_llama,
)

GOLDENS = Path(__file__).parent.parent / "goldens"
OSPREY = GOLDENS / "osprey" / "checkpoint"
DAM = GOLDENS / "dam" / "checkpoint" / "llm"
ADDED = ("<mask>", "<pos>")

Case = dict[str, Any]


def cases(model: str) -> Case:
    loaded: Case = json.loads((GOLDENS / model / "cases.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def from_json() -> FastLlamaTokenizer:
    return load_fast_tokenizer(OSPREY, ADDED)


@pytest.fixture(scope="module")
def from_model(tmp_path_factory: pytest.TempPathFactory) -> FastLlamaTokenizer:
    folder = tmp_path_factory.mktemp("model only")
    shutil.copy(OSPREY / "tokenizer.model", folder)
    return load_fast_tokenizer(folder, ADDED)


@pytest.mark.parametrize("check", cases("osprey")["tokenizer_checks"], ids=lambda c: c["text"])
def test_the_fast_reading_is_that_of_transformers_4_31(
    check: Case, from_json: FastLlamaTokenizer, from_model: FastLlamaTokenizer
) -> None:
    for tokenizer in (from_json, from_model):
        assert [tokenizer.bos_id, *tokenizer.encode(check["text"])] == check["ids"]


@pytest.mark.parametrize("run", cases("osprey")["runs"], ids=lambda run: run["id"])
def test_the_fast_reading_decodes_as_the_official_one(
    run: Case, from_json: FastLlamaTokenizer, from_model: FastLlamaTokenizer
) -> None:
    for tokenizer in (from_json, from_model):
        assert tokenizer.decode(run["greedy_ids"]).strip() == run["greedy_text"].strip()


pieces = ["a", "the ", " cat", "\n", " ", "é", "雪", ".", "▁", "<mask>", "<pos>", "</s>"]
words = cases("osprey")["runs"][0]["prompt"].split(" ")
text = st.lists(st.sampled_from(pieces + words) | st.text(max_size=3), max_size=12).map("".join)


@given(text=text)
def test_json_and_model_agree_on_any_text(
    text: str, from_json: FastLlamaTokenizer, from_model: FastLlamaTokenizer
) -> None:
    ids = from_json.encode(text)
    assert from_model.encode(text) == ids
    assert from_model.decode(ids) == from_json.decode(ids)


def test_added_tokens_lie_beyond_the_vocabulary(from_json: FastLlamaTokenizer) -> None:
    assert from_json.vocab_size == 560
    assert from_json.added == {"<mask>": 560, "<pos>": 561}
    assert (from_json.bos_id, from_json.eos_id) == (1, 2)
    assert from_json.decode([444, 560, 561, 2]) == from_json.decode([444])


def test_the_reading_does_not_depend_on_how_the_json_splits_text(
    tmp_path: Path, from_json: FastLlamaTokenizer
) -> None:
    stored = json.loads((OSPREY / "tokenizer.json").read_text(encoding="utf-8"))
    # As newer versions of transformers write the same tokenizer.
    stored |= {
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": "▁",
            "prepend_scheme": "first",
            "split": False,
        },
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(stored), encoding="utf-8")
    newer = load_fast_tokenizer(tmp_path, ADDED)
    sentence = "What is in <mask><pos>? Using a short phrase."
    assert newer.encode(sentence) == from_json.encode(sentence)


@pytest.mark.parametrize("case", cases("dam")["tokenization"], ids=lambda case: case["query"])
def test_the_slow_reading_is_the_official_one(case: Case) -> None:
    tokenizer = load_slow_tokenizer(DAM)
    ids = [tokenizer.bos_id]
    for i, stretch in enumerate(case["prompt"].split("<image>")):
        ids += [-200] * (i > 0) + tokenizer.encode(stretch)
    assert ids == case["input_ids"]


def test_the_slow_reading_decodes_as_the_official_one() -> None:
    tokenizer = load_slow_tokenizer(DAM)
    for case in cases("dam")["cases"]:
        assert tokenizer.decode(case["generated_ids"]).strip() == case["generated_text"]


@given(text=st.text(max_size=30).filter(lambda text: "<" not in text))
def test_the_slow_reading_is_sentencepieces_own_without_special_tokens(text: str) -> None:
    processor = SentencePieceProcessor(model_file=str(DAM / "tokenizer.model"))
    assert load_slow_tokenizer(DAM).encode(text) == processor.encode(text)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("</s>", ["</s>"]),
        ("</s>a", ["</s>", "a"]),
        ("a</s> the", ["▁a", "</s>", "▁the"]),
        (" </s>", ["▁▁", "</s>"]),
    ],
)
def test_the_slow_reading_puts_a_blank_before_the_whole_text_only(
    text: str, pieces: list[str]
) -> None:
    processor = SentencePieceProcessor(model_file=str(DAM / "tokenizer.model"))
    joined = [processor.id_to_piece(i) for i in load_slow_tokenizer(DAM).encode(text)]
    assert "".join(joined) == "".join(pieces)


def test_bytes_that_are_not_utf8_are_decoded_one_by_one_or_as_a_run() -> None:
    slow, fast = load_slow_tokenizer(DAM), load_fast_tokenizer(DAM)
    snow = [3 + byte for byte in "雪".encode()]
    assert slow.decode(snow) == fast.decode(snow) == "雪"
    assert slow.decode([*snow, 3 + 0xFF]) == "雪�"
    assert fast.decode([*snow, 3 + 0xFF]) == "����"


def test_a_missing_damaged_or_foreign_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"expected tokenizer\.json or tokenizer\.model"):
        load_fast_tokenizer(tmp_path)
    with pytest.raises(CheckpointError, match=r"no tokenizer .* expected tokenizer\.model"):
        load_slow_tokenizer(tmp_path)
    model, stored = tmp_path / "tokenizer.model", tmp_path / "tokenizer.json"
    model.write_bytes((DAM / "tokenizer.model").read_bytes()[:500])
    for load in (load_fast_tokenizer, load_slow_tokenizer):
        with pytest.raises(CheckpointError, match=r"tokenizer\.model is (damaged|not a Llama)"):
            load(tmp_path)
    model.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"tokenizer\.model is not a Llama tokenizer"):
        load_slow_tokenizer(tmp_path)
    stored.write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is damaged"):
        load_fast_tokenizer(tmp_path)
    shutil.copy(GOLDENS / "wow_seg" / "checkpoint" / "tokenizer.json", stored)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a Llama tokenizer"):
        load_fast_tokenizer(tmp_path)


def test_a_stand_in_makes_one_token_of_every_known_word_and_falls_back_to_bytes() -> None:
    tokenizer: LlamaTokenizer = standin_llama("What is in this picture?\nA cat.", ADDED)
    ids = tokenizer.encode("What is in <mask><pos>? A cat")
    assert len(ids) == 3 + 1 + 2 + 1 + 2
    assert tokenizer.decode(tokenizer.encode("this cat is 雪")) == "this cat is 雪"
    assert max(tokenizer.encode("zebra 雪")) < tokenizer.vocab_size
