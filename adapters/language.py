"""The decoder-only language models behind the adapters: Qwen2 and Llama from transformers.

Both have the parts ``model`` (with ``embed_tokens``) and ``lm_head``, and the same names for
their weights.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

LanguageModel: TypeAlias = LlamaForCausalLM | Qwen2ForCausalLM


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """Sizes of a decoder with rotary positions and grouped key/value heads."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    intermediate_size: int
    max_position_embeddings: int = 32768
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6
    tie_word_embeddings: bool = False

    @classmethod
    def from_official(
        cls, raw: Mapping[str, Any], rope_types: Collection[str] = ("default",)
    ) -> LanguageConfig:
        """Read the fields of a ``config.json`` of Llama or Qwen2.

        Fields that old configurations leave out take the values those libraries assumed.

        Args:
            raw: the file's fields, as transformers 4 or 5 writes them.
            rope_types: what ``rope_parameters`` may say of the rotary embedding's scaling without
                changing the arithmetic.

        Raises:
            KeyError: a field without which the sizes are unknown is missing.
            TypeError: a size is not a whole number, or positions are scaled.
        """
        heads = _size(raw, "num_attention_heads")
        return cls(
            vocab_size=_size(raw, "vocab_size"),
            hidden_size=_size(raw, "hidden_size"),
            num_hidden_layers=_size(raw, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=_size({"num_key_value_heads": heads, **raw}, "num_key_value_heads"),
            intermediate_size=_size(raw, "intermediate_size"),
            max_position_embeddings=_size(raw, "max_position_embeddings"),
            rope_theta=_rope_theta(raw, rope_types),
            rms_norm_eps=raw["rms_norm_eps"],
            tie_word_embeddings=raw.get("tie_word_embeddings", False),
        )


def _size(raw: Mapping[str, Any], field: str) -> int:
    value = raw[field]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TypeError(f"{field} is {value!r}, expected a whole number above 0")
    return value


def _rope_theta(raw: Mapping[str, Any], rope_types: Collection[str]) -> float:
    """The base of the rotary frequencies, wherever the configuration's writer put it."""
    parameters = raw.get("rope_parameters") or {}
    kind = parameters.get("rope_type", "default")
    if kind not in rope_types:
        raise TypeError(f"rope_parameters.rope_type is {kind!r}, expected 'default'")
    return float(parameters.get("rope_theta", raw.get("rope_theta", 10000.0)))


def build_qwen2(config: LanguageConfig) -> Qwen2ForCausalLM:
    """A Qwen2 decoder, with biases on queries, keys and values."""
    return Qwen2ForCausalLM(Qwen2Config(**_arguments(config)))


def build_llama(config: LanguageConfig) -> LlamaForCausalLM:
    """A Llama decoder, without biases."""
    return LlamaForCausalLM(LlamaConfig(**_arguments(config)))


def _arguments(config: LanguageConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_position_embeddings,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "rms_norm_eps": config.rms_norm_eps,
        "tie_word_embeddings": config.tie_word_embeddings,
        "attn_implementation": "sdpa",
    }


def restore_buffers(language_model: LanguageModel) -> None:
    """Compute the rotary frequencies of a model whose weights replaced those of the meta device.

    They are computed, not stored, and would be left without memory.
    """
    decoder = language_model.model
    rotary = type(decoder.rotary_emb)(language_model.config)
    decoder.rotary_emb = rotary.to(decoder.embed_tokens.weight.device)
