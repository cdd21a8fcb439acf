"""Rows decoded together: the answers of each alone, penalties, stopping and dropped rows."""

from __future__ import annotations

import pytest
import torch
from transformers import GenerationConfig

from adapters import batches
from adapters.batches import decode_rows
from adapters.decoding import Decoded, Stopping
from adapters.greedy import penalised
from adapters.interface import FinishReason
from tests.adapters.decoders import BUILDERS, network, prompts


@torch.inference_mode()
def decode(name: str, rows: int, stopping: Stopping, penalty: float = 1.0) -> list[Decoded]:
    return decode_rows(network(name), *prompts(rows), stopping, penalty)


@torch.inference_mode()
def reference(name: str, row: int, stopping: Stopping, penalty: float) -> list[int]:
    """What transformers generates for one row alone."""
    prefix, own = prompts(row + 1)
    generated = network(name).generate(
        inputs_embeds=torch.cat([prefix, own[row]])[None],
        attention_mask=torch.ones(1, 12, dtype=torch.int64),
        generation_config=GenerationConfig(
            max_new_tokens=stopping.limit,
            repetition_penalty=penalty,
            do_sample=False,
            eos_token_id=sorted(stopping.ids) or None,
            pad_token_id=0,
        ),
    )
    tokens: list[int] = generated[0].tolist()
    return tokens[:-1] if tokens[-1] in stopping.ids else tokens


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("penalty", [1.0, 1.3, 0.8])
def test_rows_decode_as_transformers_decodes_each_alone(name: str, penalty: float) -> None:
    stopping = Stopping(frozenset(range(40, 50)), 16)
    decoded = decode(name, 6, stopping, penalty)
    assert [list(d.token_ids) for d in decoded] == [
        reference(name, row, stopping, penalty) for row in range(6)
    ]
    ended = {d.finish_reason for d in decoded}
    assert FinishReason.STOP in ended
    assert all(
        (d.finish_reason is FinishReason.LENGTH) == (len(d.token_ids) == 16) for d in decoded
    )


def test_a_rows_answer_does_not_depend_on_the_other_rows() -> None:
    stopping = Stopping(frozenset(range(30, 40)), 12)
    prefix, own = prompts(9)
    with torch.inference_mode():
        together = decode_rows(network("qwen2"), prefix, own, stopping, 1.1)
        order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
        shuffled = decode_rows(network("qwen2"), prefix, own[order], stopping, 1.1)
        alone = [
            decode_rows(network("qwen2"), prefix, own[i : i + 1], stopping, 1.1)[0]
            for i in range(9)
        ]
    assert together == alone
    assert shuffled == [together[i] for i in order.tolist()]


def test_prefilling_in_groups_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = Stopping(frozenset(), 8)
    whole = decode("llama", 7, stopping)
    monkeypatch.setattr(batches, "PREFILL_POSITIONS", 15)
    assert decode("llama", 7, stopping) == whole


def test_forced_answers_are_all_as_long() -> None:
    assert {len(d.token_ids) for d in decode("llama", 3, Stopping(frozenset(), 5))} == {5}


def test_no_rows_and_no_tokens_need_no_network() -> None:
    prefix, own = prompts(2)
    assert decode_rows(network("llama"), prefix, own[:0], Stopping(frozenset(), 4)) == []
    nothing = Decoded((), FinishReason.LENGTH)
    assert decode_rows(network("llama"), prefix, own, Stopping(frozenset(), 0)) == [nothing] * 2


def test_the_penalty_counts_a_token_once_however_often_it_came() -> None:
    logits = torch.tensor([[2.0, -2.0, 1.0]])
    history = torch.tensor([[0, 0, 1]])
    assert penalised(logits, history, 2.0).tolist() == [[1.0, -4.0, 1.0]]
    assert penalised(logits, history[:, :0], 2.0) is logits
