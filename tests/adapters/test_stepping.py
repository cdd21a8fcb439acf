"""Steps in fixed buffers: the tokens of steps that grow, whatever stood in the buffers before."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adapters import stepping
from adapters.batches import Rows
from adapters.decoder_step import FusedDecoder, FusedLinear, grouped_attention
from adapters.decoding import Stopping
from adapters.stepping import Continuation, Stepper, rounded_up
from tests.adapters.decoders import BUILDERS, SIZES, SOME, WAYS, decode, network, prompts


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
    keep = Continuation.keep

    def counting(continuation: Continuation, kept: torch.Tensor) -> None:
        dropped.append(len(kept))
        keep(continuation, kept)

    monkeypatch.setattr(Continuation, "keep", counting)
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
def test_answers_that_another_query_has_taken_the_place_of_are_not_continued() -> None:
    stepper, tokens = fixed("llama"), torch.zeros(3, dtype=torch.int64)
    prefix, own = prompts(3)
    first, second = (Rows(network("llama"), prefix, stepper) for _ in range(2))
    first.start(own)
    first.step(tokens)
    second.start(own)
    second.step(tokens)
    with pytest.raises(RuntimeError, match="one query after the other"):
        first.step(tokens)
    with pytest.raises(RuntimeError, match="one query after the other"):
        first.keep(tokens[:1])
    second.step(tokens)


@pytest.mark.parametrize("way", WAYS)
def test_answers_of_one_token_take_no_step(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stepper, "begin", lambda *_: pytest.fail("nothing is to be continued"))
    stopping = Stopping(frozenset(), 1)
    expected = decode(way, network("llama"), 5, stopping, None)
    assert decode(way, network("llama"), 5, stopping, fixed("llama")) == expected


@pytest.mark.parametrize("way", WAYS)
def test_steps_that_were_given_up_are_made_again(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "_SHAPES", 1)
    stepper, stopping = fixed("qwen2"), Stopping(SOME, 80)
    for rows in (2, 9, 2, 5, 9):
        expected = decode(way, network("qwen2"), rows, stopping, None)
        assert decode(way, network("qwen2"), rows, stopping, stepper) == expected
        assert len(stepper._steps) == 1


@pytest.mark.parametrize("way", WAYS)
def test_a_query_that_fails_half_way_does_the_next_no_harm(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepper, stopping = fixed("qwen2"), Stopping(frozenset(), 40)
    step, steps = FusedDecoder.step, iter(range(1000))

    def failing(*inputs: Any) -> torch.Tensor:
        if next(steps) == 7:
            raise torch.OutOfMemoryError("no room")
        return step(*inputs)

    monkeypatch.setattr(FusedDecoder, "step", failing)
    with pytest.raises(torch.OutOfMemoryError):
        decode(way, network("qwen2"), 9, stopping, stepper)
    for rows in (9, 3):
        expected = decode(way, network("qwen2"), rows, stopping, None)
        assert decode(way, network("qwen2"), rows, stopping, stepper) == expected


def test_rows_that_only_fill_up_a_shape_do_the_others_no_harm() -> None:
    model = copy.deepcopy(network("qwen2"))
    stopping = Stopping(frozenset(), 30)
    expected = decode("branches", model, 5, stopping, None)
    assert all(0 not in answer.token_ids for answer in expected)
    with torch.no_grad():
        model.model.embed_tokens.weight[0] = float("nan")  # what a careless filling would take
    stepper = Stepper(model, capture=False)
    assert decode("branches", model, 5, stopping, stepper) == expected


def test_a_stepper_may_be_used_in_and_outside_of_inference_mode() -> None:
    model = copy.deepcopy(network("llama"))
    with torch.inference_mode():
        stepper = Stepper(model, capture=False)
        prefix, own = prompts(4)
    tokens = torch.arange(4)

    def logits() -> torch.Tensor:
        rows = Rows(model, prefix, stepper)
        rows.start(own)
        return rows.step(tokens).clone()

    with torch.inference_mode():
        inside = logits()
    with torch.no_grad():
        assert torch.equal(logits(), inside)
    model(torch.arange(5)[None]).logits.sum().backward()  # and the network can still be trained


def test_fused_layers_stay_the_networks_own() -> None:
    model = copy.deepcopy(network("qwen2"))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fused = FusedLinear.of(*(getattr(model.model.layers[0].self_attn, f"{p}_proj") for p in "qkv"))
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert fused.bias is not None
    assert not fused.weight.any()
    assert not fused.bias.any()


@pytest.mark.parametrize("name", BUILDERS)
@torch.inference_mode()
def test_a_bfloat16_step_is_as_exact_as_that_of_transformers(name: str) -> None:
    exact = network(name)
    rounded = copy.deepcopy(exact).bfloat16()
    exact = copy.deepcopy(rounded).float()
    prefix, own = prompts(4)
    prefix, own = prefix.bfloat16(), own.bfloat16()
    rows = {
        "exact": Rows(exact, prefix.float()),
        "growing": Rows(rounded, prefix),
        "fixed": Rows(rounded, prefix, Stepper(rounded, capture=False)),
    }
    for way, asked in rows.items():
        asked.start(own.float() if way == "exact" else own)
    errors = {"growing": 0.0, "fixed": 0.0}
    for token in range(20):
        found = {way: asked.step(torch.full((4,), token)).float() for way, asked in rows.items()}
        for way in errors:
            errors[way] += float((found[way] - found["exact"]).abs().mean())
    assert errors["fixed"] < 1.25 * errors["growing"]


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
@pytest.mark.parametrize("name", BUILDERS)
@torch.inference_mode()
def test_captured_steps_choose_the_same_tokens(way: str, name: str) -> None:
    # The last device: where there are several, another than the current one.
    model = copy.deepcopy(network(name)).to(f"cuda:{torch.cuda.device_count() - 1}")
    stepper = Stepper.where_useful(model)
    for rows in (3, 12, 2, 12):
        found = [decode(way, model, rows, Stopping(SOME, 80), taken) for taken in (None, stepper)]
        assert found[0] == found[1]
