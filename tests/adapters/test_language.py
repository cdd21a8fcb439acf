"""Decoder sizes from configurations as older and newer transformers write them."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import Qwen2Config

from adapters.language import LanguageConfig

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
}
SCALED = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 5e5}


def test_the_base_of_the_frequencies_is_found_where_either_version_writes_it() -> None:
    assert LanguageConfig.from_official({**SIZES, "rope_theta": 1e6}).rope_theta == 1e6
    newer = {**SIZES, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}
    assert LanguageConfig.from_official(newer).rope_theta == 1e6
    assert LanguageConfig.from_official(SIZES).rope_theta == 1e4


def test_a_configuration_saved_here_reads_back() -> None:
    rope = {"rope_type": "default", "rope_theta": 1e6}
    saved = Qwen2Config(**SIZES, rope_parameters=rope).to_dict()
    assert LanguageConfig.from_official(saved).rope_theta == 1e6


def test_scaled_positions_are_refused_unless_they_change_nothing() -> None:
    raw = {**SIZES, "rope_parameters": SCALED}
    with pytest.raises(TypeError, match=r"rope_type is 'dynamic', expected 'default'"):
        LanguageConfig.from_official(raw)
    assert LanguageConfig.from_official(raw, ("default", "dynamic")).rope_theta == 5e5


@pytest.mark.parametrize("value", [None, "many", 0, True, 2.0])
def test_a_size_that_is_no_whole_number_is_named(value: object) -> None:
    with pytest.raises(TypeError, match="hidden_size is"):
        LanguageConfig.from_official({**SIZES, "hidden_size": value})
