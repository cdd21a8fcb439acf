"""Steps in fixed buffers: the tokens of steps that grow, whatever stood in the buffers before."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adapters.batches import Rows, decode_rows
from adapters.branches import Branches, decode_branches
from adapters.decoder_step import grouped_attention
from adapters.decoding import Decoded, Stopping
from adapters.language import LanguageModel
from adapters.stepping import Stepper, rounded_up
from tests.adapters.decoders import BUILDERS, SIZES, network, prompts

SOME = frozenset(range(40, 50))  # tokens that end an answer
LENGTHS = (1, 4, 2, 7, 5, 3, 6)
WAYS = ("rows", "branches")


@torch.inference_mode()
def decode(
    way: str,
    model: LanguageModel,
    rows: int,
    stopping: Stopping,
    stepper: Stepper | None,
    penalty: float = 1,
) -> list[Decoded]:
    prefix, own = (part.to(model.device) for part in prompts(rows, seed=rows))
    if way == "rows":
        return decode_rows(model, prefix, own, stopping, penalty, stepper)
    beginnings = [own[i, : LENGTHS[i % len(LENGTHS)]] for i in range(rows)]
    return decode_branches(Branches(model, prefix, stepper), beginnings, stopping)


def fixed(name: str) -> Stepper:
    """A stepper that launches every kernel, as it must without a GPU."""
    return Stepper(network(name), capture=False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BUILDERS)
def test_one_stepper_decodes_one_picture_after_another(way: str, name: str) -> None:
    stepper = fixed(name)
    for rows in (3, 1, 33, 2, 9, 33, 7):
        # 80 tokens are more than there is room for at first.
        for stopping in (Stopping(SOME, 30), Stopping(frozenset(), 80), Stopping(frozenset(), 1)):
            expected = decode(way, network(name), rows, stopping, None)
            assert decode(way, network(name), rows, stopping, stepper) == expected


def test_the_penalty_counts_in_fixed_buffers_as_well() -> None:
    stopping = Stopping(SOME, 24)
    plain, penalised = (decode("rows", network("qwen2"), 6, stopping, None, p) for p in (1, 1.3))
    assert plain != penalised
    assert decode("rows", network("qwen2"), 6, stopping, fixed("qwen2"), 1.3) == penalised


@pytest.mark.parametrize("way", WAYS)
def test_rows_stop_at_different_times_and_are_dropped(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = []
    keep = Stepper.keep

    def counting(stepper: Stepper, kept: torch.Tensor) -> None:
        dropped.append(len(kept))
        keep(stepper, kept)

    monkeypatch.setattr(Stepper, "keep", counting)
    stopping = Stopping(SOME, 40)
    found = decode(way, network("llama"), 16, stopping, fixed("llama"))
    assert found == decode(way, network("llama"), 16, stopping, None)
    assert len(dropped) > 1
    assert dropped == sorted(dropped, reverse=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("left", [float("nan"), float("inf")])
def test_what_an_earlier_answer_left_in_the_buffers_does_no_harm(way: str, left: float) -> None:
    stepper, stopping = fixed("llama"), Stopping(frozenset(), 40)
    decode(way, network("llama"), 9, stopping, stepper)
    with torch.inference_mode():
        stepper._storage.fill_(left)
    expected = decode(way, network("llama"), 5, stopping, None)
    assert decode(way, network("llama"), 5, stopping, stepper) == expected


@pytest.mark.parametrize("name", BUILDERS)
@torch.inference_mode()
def test_a_steps_logits_are_those_of_transformers(name: str) -> None:
    prefix, own = prompts(4)
    growing, stepping = Rows(network(name), prefix), Rows(network(name), prefix, fixed(name))
    assert torch.equal(growing.start(own), stepping.start(own))
    for token in (3, 50, 96, 0):
        tokens = torch.tensor([token, 1, 2, 3])
        torch.testing.assert_close(stepping.step(tokens), growing.step(tokens))


@torch.inference_mode()
def test_a_step_without_a_beginning_is_refused() -> None:
    with pytest.raises(RuntimeError, match="begin"):
        fixed("llama").step(torch.zeros(1, dtype=torch.int64))


def test_networks_that_are_not_on_a_gpu_need_no_stepper() -> None:
    assert Stepper.where_useful(network("llama")) is None
    with torch.device("meta"):
        assert Stepper.where_useful(BUILDERS["llama"](SIZES)) is None


@given(st.integers(1, 100_000), st.integers(2, 4))
def test_rounding_up_leaves_few_numbers_and_adds_little(number: int, bits: int) -> None:
    rounded = rounded_up(number, bits)
    assert number <= rounded < (1 + 2 ** (1 - bits)) * number
    assert rounded_up(rounded, bits) == rounded
    assert len(f"{rounded:b}".rstrip("0")) <= bits


@given(st.integers(1, 3), st.integers(1, 5), st.sampled_from([(4, 1), (4, 2), (6, 6)]))
def test_grouped_attention_is_attention(batch: int, rows: int, heads: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(rows)
    queries = torch.randn(batch, rows, heads[0], 8, generator=generator)
    keys, values = torch.randn(2, batch, heads[1], 11, 8, generator=generator)
    allowed = torch.rand(rows, 11, generator=generator) < 0.5
    allowed[:, 0] = True
    expected = torch.nn.functional.scaled_dot_product_attention(
        queries.transpose(1, 2), keys, values, allowed, enable_gqa=True
    )
    bias = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)
    bias = bias.repeat(heads[0] // heads[1], 1)
    found = grouped_attention(queries, keys, values, bias, 8**-0.5)
    torch.testing.assert_close(found, expected.transpose(1, 2).flatten(2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("way", WAYS)
@torch.inference_mode()
def test_captured_steps_choose_the_same_tokens(way: str) -> None:
    model = copy.deepcopy(network("qwen2")).cuda()
    stepper = Stepper.where_useful(model)
    for rows in (3, 12, 2, 12):
        found = [decode(way, model, rows, Stopping(SOME, 80), taken) for taken in (None, stepper)]
        assert found[0] == found[1]
