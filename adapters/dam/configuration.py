"""Sizes of a DAM model, read from the official ``config.json`` files of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.checkpoint import expect_fields
from adapters.dam.layout import CONTEXT, LANGUAGE, PROJECTOR, VISION, Layout, naming
from adapters.dam.settings import ADAPTER
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.setting_values import chosen_preset

# Stored with the vision tower; nothing reads what they compute.
UNUSED_PARTS = ("post_layernorm", "head")


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """SigLIP with a mask channel: square pictures of ``image_size`` pixels in patches.

    ``unused`` are those of :data:`UNUSED_PARTS` that the checkpoint holds.
    """

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    image_size: int = 384
    patch_size: int = 14
    layer_norm_eps: float = 1e-6
    unused: tuple[str, ...] = UNUSED_PARTS

    @property
    def grid(self) -> int:
        """Patches along each side, 27 at the published sizes; pixels left over are not read."""
        return self.image_size // self.patch_size


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """The context provider: one gated cross-attention block behind each block of the tower.

    ``always`` also fuses a focal crop that is the whole picture with it, instead of passing the
    full picture's features on (official name: ``treat_image_as_cimage``).
    """

    intermediate_size: int
    num_attention_heads: int
    layer_norm_eps: float = 1e-6
    always: bool = False


@dataclass(frozen=True, slots=True)
class DamConfig:
    """A DAM model: vision tower, context provider (``None``: full picture only), language model.

    ``depth`` is how many blocks of the tower act; ``max_positions`` bounds a prompt and its answer;
    an answer ends at one of ``stop_ids``.
    """

    vision: VisionConfig
    context: ContextConfig | None
    language: LanguageConfig
    depth: int
    max_positions: int = 4096
    stop_ids: tuple[int, ...] = (2,)

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= self.vision.num_hidden_layers:
            raise CheckpointError(
                f"config.json: mm_vision_select_layer asks for {self.depth} blocks of a vision "
                f"tower that has {self.vision.num_hidden_layers}"
            )

    @property
    def image_tokens(self) -> int:
        """Tokens of one region: 2x2 patches each, 196 at the published sizes."""
        return ((self.vision.grid + 1) // 2) ** 2

    @classmethod
    def from_layout(cls, layout: Layout) -> DamConfig:
        """Read a checkpoint's configurations.

        The parts' own files count; their copies in the root's ``config.json`` only tell whether
        there is a context provider.

        Raises:
            CheckpointError: a file is missing or not JSON, a field is missing or of the wrong
                type, or the model is of a kind this adapter does not compute.
        """
        with naming(f"{VISION}/config.json") as file:
            vision = _read_vision(file, layout.read(VISION))
        expect_fields(
            ADAPTER,
            f"{VISION}/preprocessor_config.json",
            layout.read_if_there(VISION, "preprocessor_config.json"),
            {"resample": 3, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
        )
        expect_fields(
            ADAPTER,
            f"{PROJECTOR}/config.json",
            layout.read(PROJECTOR),
            {},
            required={"mm_projector_type": "mlp_downsample"},
        )
        context = None
        if CONTEXT in layout.part_names:
            with naming(f"{CONTEXT}/config.json") as file:
                context = _read_context(file, layout.read(CONTEXT), vision)
        with naming(f"{LANGUAGE}/config.json") as file:
            raw = layout.read(LANGUAGE)
            language = _read_language(file, raw)
            limit = raw.get("tokenizer_model_max_length") or language.max_position_embeddings
            stop_ids = _stop_ids(layout.read_if_there(LANGUAGE, "generation_config.json"), raw)
        # Which of the states between the blocks is taken, the embeddings being number 0.
        selected = layout.root.get("mm_vision_select_layer", -2)
        depth = selected if selected >= 0 else vision.num_hidden_layers + 1 + selected
        return cls(vision, context, language, depth, limit, stop_ids)

    def holding(self, vision_tensors: Iterable[str]) -> DamConfig:
        """The same model with those unused parts that are among the tower's official names."""
        names = tuple(vision_tensors)
        unused = tuple(
            part
            for part in UNUSED_PARTS
            if any(name.startswith(f"vision_model.{part}.") for name in names)
        )
        return replace(self, vision=replace(self.vision, unused=unused))


def _stop_ids(*sources: Mapping[str, Any]) -> tuple[int, ...]:
    """``eos_token_id``, one or a list, of the first source that gives it."""
    for source in sources:
        found = source.get("eos_token_id")
        if found is not None:
            return tuple(found) if isinstance(found, list) else (found,)
    raise KeyError("eos_token_id")


def _read_vision(file: str, raw: Mapping[str, Any]) -> VisionConfig:
    expect_fields(
        ADAPTER,
        file,
        raw,
        {"hidden_act": "gelu_pytorch_tanh", "num_channels": 3},
        required={"num_mask_channels": 1},
    )
    return VisionConfig(
        hidden_size=raw["hidden_size"],
        num_hidden_layers=raw["num_hidden_layers"],
        num_attention_heads=raw["num_attention_heads"],
        intermediate_size=raw["intermediate_size"],
        image_size=raw["image_size"],
        patch_size=raw["patch_size"],
        layer_norm_eps=raw.get("layer_norm_eps", 1e-6),
    )


def _read_context(file: str, raw: Mapping[str, Any], vision: VisionConfig) -> ContextConfig:
    expect_fields(
        ADAPTER,
        file,
        raw,
        {
            "context_image_as_queries": False,
            "context_provider_layer_indices": None,
            # The authors' code can hide patches outside the mask; no published model does.
            "masked_cross_attn": False,
            "hidden_act": "gelu_pytorch_tanh",
        },
        required={
            "context_provider_type": "cross_attn_end_to_all",
            "hidden_size": vision.hidden_size,
            "num_hidden_layers": vision.num_hidden_layers,
        },
    )
    return ContextConfig(
        intermediate_size=raw["intermediate_size"],
        num_attention_heads=raw["num_attention_heads"],
        layer_norm_eps=raw.get("layer_norm_eps", 1e-6),
        always=raw.get("treat_image_as_cimage", False),
    )


def _read_language(file: str, raw: Mapping[str, Any]) -> LanguageConfig:
    expect_fields(
        ADAPTER,
        file,
        raw,
        {
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "rope_scaling": None,
            "tie_word_embeddings": False,
            "head_dim": raw["hidden_size"] // raw["num_attention_heads"],
        },
        required={"model_type": "llama"},
    )
    return LanguageConfig.from_official(raw)


PRESETS: Mapping[str, DamConfig] = {
    # Every released DAM: SigLIP so400m, and VILA-1.5-3B's Llama of 2.7 billion.
    "dam-3b": DamConfig(
        VisionConfig(1152, 27, 16, 4304),
        ContextConfig(4304, 16),
        LanguageConfig(32000, 2560, 32, 20, 20, 6912, 4096, rope_theta=1e4, rms_norm_eps=1e-5),
        depth=26,
    ),
    # For CPUs: an eighth of the tower's width and a quarter of its depth, pictures of the published
    # size, and a Llama so large that it costs as much as the tower, as in the published model.
    "mid": DamConfig(
        VisionConfig(144, 7, 2, 538),
        ContextConfig(538, 2),
        LanguageConfig(8192, 384, 12, 6, 6, 1040, 4096, rope_theta=1e4, rms_norm_eps=1e-5),
        depth=6,
    ),
}


def preset_config(name: str) -> DamConfig:
    """The sizes called ``name``.

    Raises:
        SettingError: no such preset.
    """
    return chosen_preset(ADAPTER, PRESETS, name)
