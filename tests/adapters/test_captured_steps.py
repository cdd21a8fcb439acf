"""Steps replayed from a recording: the tokens of steps that are launched anew."""

from __future__ import annotations

import copy
import gc
from weakref import ref

import pytest
import torch

from adapters import stepping
from adapters.branches import Branches
from adapters.decoding import Stopping
from adapters.language import LanguageModel
from adapters.stepping import Stepper
from tests.adapters.decoders import BUILDERS, SOME, WAYS, decode, network, prompts
from tests.adapters.golden_answers import SETTINGS, answer_alike, loaded
from tests.adapters.recorded_graphs import RecordedGraph, Recording


@pytest.fixture(autouse=True)
def _recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "_Capturing", Recording)


def recorded(stepper: Stepper) -> Recording:
    assert isinstance(stepper._capturing, Recording)
    return stepper._capturing


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BUILDERS)
def test_replayed_steps_choose_the_same_tokens(way: str, name: str) -> None:
    stepper = Stepper(network(name))
    # Numbers of rows that share shapes, make the storage grow, and come again.
    for rows in (3, 1, 33, 2, 9, 33, 7, 3):
        for stopping in (Stopping(SOME, 30), Stopping(frozenset(), 80), Stopping(frozenset(), 2)):
            expected = decode(way, network(name), rows, stopping, None)
            assert decode(way, network(name), rows, stopping, stepper) == expected
    assert recorded(stepper).replays > 10 * len(recorded(stepper).graphs)


@pytest.mark.parametrize("way", WAYS)
def test_a_shape_is_captured_once(way: str) -> None:
    stepper = Stepper(network("qwen2"))
    for limit in (5, 20, 9):
        decode(way, network("qwen2"), 6, Stopping(frozenset(), limit), stepper)
    assert len(recorded(stepper).graphs) == 1
    assert recorded(stepper).replays == 4 + 19 + 8


@pytest.mark.parametrize("way", WAYS)
def test_captured_steps_that_were_given_up_are_captured_again(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "_SHAPES", 1)
    stepper, stopping = Stepper(network("llama")), Stopping(SOME, 40)
    for rows in (2, 9, 2, 5, 9):
        expected = decode(way, network("llama"), rows, stopping, None)
        assert decode(way, network("llama"), rows, stopping, stepper) == expected


@pytest.mark.parametrize("name", SETTINGS)
def test_adapters_answer_alike_with_replayed_steps(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    launching, steppers = loaded(name, "cpu"), []

    def capturing(language_model: LanguageModel) -> Stepper:
        steppers.append(Stepper(language_model))
        return steppers[0]

    monkeypatch.setattr(Stepper, "where_useful", capturing)
    answer_alike(loaded(name, "cpu"), launching)
    assert recorded(steppers[0]).replays > 100


def test_branches_that_ended_give_their_places_back() -> None:
    model = network("llama")
    prefix, own = prompts(64)
    branches = Branches(model, prefix, Stepper(model))
    branches.start(list(own))
    for _ in range(20):
        branches.step(torch.zeros(64, dtype=torch.int64))
    branches.keep(torch.tensor([5]))
    assert branches._continued is not None
    assert branches._continued._held == (1, 1, 5 + 7 + 20)


def test_a_model_that_is_dropped_is_gone_at_once() -> None:
    model = copy.deepcopy(network("llama"))
    gone = ref(model)
    decode("rows", model, 3, Stopping(frozenset(), 5), Stepper(model))
    gc.disable()
    try:
        del model
        assert gone() is None
    finally:
        gc.enable()


def test_a_recording_refuses_what_a_gpu_cannot_capture() -> None:
    numbers = torch.arange(3)

    def compute() -> None:
        numbers.add_(int(numbers[0]))

    with pytest.raises(RuntimeError, match="host waits"):
        RecordedGraph(compute)


@torch.inference_mode()
def test_a_recording_reads_and_writes_where_a_graph_would() -> None:
    number, total, seen = torch.tensor([2.0]), torch.zeros(1), []

    def compute() -> None:
        doubled = number * 2
        total.add_(doubled)
        seen.append(doubled)

    graph = RecordedGraph(compute)
    assert total.item() == 0  # recorded, not computed
    assert seen[0].isnan().all()
    number.fill_(5)
    graph.replay()
    graph.replay()
    assert (total.item(), seen[0].item(), len(seen)) == (20, 10, 1)
    number.data = torch.tensor([7.0])
    with pytest.raises(AssertionError, match="captured address"):
        graph.replay()
