"""Random weights: what a seed decides, what modules decide, and what the caller keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from adapters.checkpoint import digest_of_preset
from adapters.random_weights import random_weights

CPU = torch.device("cpu")
LARGE = "head.weight"  # of more than one chunk, the last of them not a whole one


class Network(nn.Module):
    """What the adapters' networks hold, as small as it can be."""

    table: torch.Tensor
    computed: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(2200, 500)
        self.norm = nn.LayerNorm(70_000)
        self.small = nn.Linear(7, 5)
        self.middle = nn.Linear(300, 300, bias=False)
        self.head = nn.Linear(500, 2200, bias=False)
        self.head.weight = self.embedding.weight
        self.register_buffer("table", torch.randn(2, 40_000))
        self.register_buffer("computed", torch.arange(7) / 3, persistent=False)


def built(
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    build: Callable[[], nn.Module] = Network,
    device: torch.device = CPU,
) -> dict[str, torch.Tensor]:
    model = random_weights(build, seed, device, dtype)
    return {**dict(model.named_buffers()), **model.state_dict()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, bool]:
    assert one.keys() == other.keys()
    return {name: torch.equal(tensor, other[name]) for name, tensor in one.items()}


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_a_seed_gives_the_same_weights_and_another_seed_others() -> None:
    assert all(equal(built(3), built(3)).values())
    same = {name for name, found in equal(built(3), built(4)).items() if found}
    assert same == {"norm.weight", "norm.bias", "computed"}


def test_weights_do_not_depend_on_the_number_of_threads(threads: Callable[[int], None]) -> None:
    threads(1)
    alone = built()
    threads(5)
    assert all(equal(alone, built()).values())


def test_weights_do_not_depend_on_the_callers_device() -> None:
    with torch.device("meta"):
        inside = built()
    assert all(equal(built(), inside).values())


def test_weights_do_not_depend_on_the_callers_mode() -> None:
    with torch.inference_mode():
        inside = built()
    assert all(equal(built(), inside).values())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_an_accelerator_gets_the_weights_of_the_cpu_and_keeps_its_random_state() -> None:
    torch.cuda.manual_seed(5)
    before = torch.cuda.get_rng_state()
    there = built(dtype=torch.bfloat16, device=torch.device("cuda"))
    assert all(tensor.is_cuda for tensor in there.values())
    here = {name: tensor.cpu() for name, tensor in there.items()}
    assert all(equal(built(dtype=torch.bfloat16), here).values())
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_large_parameters_are_drawn_as_published_decoders_are() -> None:
    state = built()
    for name in (LARGE, "middle.weight"):
        assert state[name].std().item() == pytest.approx(0.02, rel=0.01)
        assert state[name].mean().item() == pytest.approx(0, abs=0.0005)
    # The chunks do not repeat each other.
    drawn = state[LARGE].flatten()
    assert torch.unique(drawn).numel() > 0.9 * drawn.numel()


def test_all_else_is_as_the_modules_make_it() -> None:
    state = built()
    assert (state["norm.weight"] == 1).all()
    assert (state["norm.bias"] == 0).all()
    assert state["table"].std().item() == pytest.approx(1, rel=0.02)
    for name in ("small.weight", "small.bias"):
        assert 0.02 < state[name].abs().max() <= 7**-0.5


def test_narrow_weights_are_the_rounded_wide_ones_and_computed_buffers_stay_wide() -> None:
    wide, narrow = built(), built(dtype=torch.bfloat16)
    assert narrow["computed"].dtype is torch.float32
    assert narrow["table"].dtype is torch.bfloat16
    rounded = {name: tensor.to(narrow[name].dtype) for name, tensor in wide.items()}
    assert all(equal(rounded, narrow).values())


def test_tied_parameters_stay_tied() -> None:
    model = random_weights(Network, 0, CPU, torch.bfloat16)
    assert model.head.weight is model.embedding.weight
    assert model.head.weight.requires_grad
    assert not model.training


def test_the_callers_random_state_stays() -> None:
    before = torch.get_rng_state()
    built(6)
    assert torch.equal(torch.get_rng_state(), before)


def test_values_that_a_module_reads_while_it_is_built_are_drawn() -> None:
    class Reading(nn.Module):
        read: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.padded = nn.Embedding(300, 300, padding_idx=0)
            self.cut = nn.Parameter(torch.empty(300, 300))
            nn.init.trunc_normal_(self.cut, std=0.1, a=-0.1, b=0.1)
            source = nn.Linear(300, 300)
            self.register_buffer("read", source.weight.detach() * 2)

    state = built(build=Reading)
    assert all(equal(state, built(build=Reading)).values())
    assert (state["padded.weight"][0] == 0).all()
    assert state["padded.weight"][1:].std().item() == pytest.approx(1, rel=0.02)
    assert 0.09 < state["cut"].abs().max() <= 0.1
    assert state["read"].std().item() == pytest.approx(2 / 3**0.5 / 300**0.5, rel=0.02)


def test_the_meta_device_holds_no_numbers() -> None:
    model = random_weights(Network, 0, torch.device("meta"), torch.bfloat16)
    assert all(p.is_meta and p.dtype is torch.bfloat16 for p in model.parameters())


def test_presets_and_seeds_have_digests_of_their_own() -> None:
    digests = {digest_of_preset(name, seed) for name in ("mid", "dam-3b") for seed in (0, 1)}
    assert len(digests) == 4
    assert digest_of_preset("mid", 0) == digest_of_preset("mid", 0)
