"""Models of one `bench run`: one is gone before the next is loaded."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from bench.choices import ModelChoice
from tests.bench.kinds import Bench


def test_no_earlier_model_is_alive_when_the_next_is_loaded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = ModelChoice.load
    earlier: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def watched(choice: ModelChoice) -> Any:
        alive.append(sum(model() is not None for model in earlier))
        model: Any = load(choice)
        model.itself = model  # as hooks and captured graphs do: the reference count never falls
        earlier.append(weakref.ref(model))
        return model

    monkeypatch.setattr(ModelChoice, "load", watched)
    assert bench("run", "--no-report") == 0
    assert alive == [0, 0]


def test_the_accelerator_s_memory_is_given_back_after_each_model(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    emptied: list[None] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(None))
    assert bench("run", "--no-report") == 0
    assert len(emptied) == 2


def test_memory_that_cannot_be_given_back_costs_no_scores(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def lost() -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lost)
    assert bench("run", "--no-report") == 0
