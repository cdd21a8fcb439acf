"""Sizes of a WOW-Seg model, read from and written to the official ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.checkpoint import expect_fields, read_json
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.setting_values import chosen_preset

DEFAULT_MAX_TILES = 12  # evaluation and demo; training used 4


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """InternViT: square pictures of ``image_size`` pixels in patches of ``patch_size``."""

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    image_size: int = 448
    patch_size: int = 14
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True


# Qwen2.5-0.5B with InternVL's vocabulary.
QWEN2_5_HALF_BILLION = LanguageConfig(151674, 896, 24, 14, 2, 4864)


@dataclass(frozen=True, slots=True)
class WowSegConfig:
    """A WOW-Seg model: vision tower, projector and language model.

    The defaults are InternVL3-1B's, the published checkpoint's base.
    """

    vision: VisionConfig = VisionConfig()
    language: LanguageConfig = QWEN2_5_HALF_BILLION
    downsample_ratio: float = 0.5
    use_thumbnail: bool = True

    def __post_init__(self) -> None:
        patches, left_over = divmod(self.vision.image_size, self.vision.patch_size)
        if left_over or patches % self.shuffle:
            raise CheckpointError(
                f"image_size {self.vision.image_size} must be a multiple of patch_size "
                f"{self.vision.patch_size} times {self.shuffle} (1 / downsample_ratio)"
            )

    @property
    def shuffle(self) -> int:
        """Patches a side that pixel shuffle folds into one token."""
        return round(1 / self.downsample_ratio)

    @property
    def grid(self) -> int:
        """Tokens along each side of a tile or crop: 16 at the published sizes."""
        return self.vision.image_size // self.vision.patch_size // self.shuffle

    @property
    def tokens_per_tile(self) -> int:
        """Tokens of one tile: 256 at the published sizes."""
        return self.grid**2

    @property
    def image_size(self) -> int:
        """Side of a tile or crop in pixels: 448 at the published sizes."""
        return self.vision.image_size

    @classmethod
    def from_json(cls, path: Path) -> WowSegConfig:
        """Read an InternVLChat ``config.json``.

        Raises:
            CheckpointError: the file is missing or not JSON, a field is missing, or the model is
                of a kind this adapter does not compute.
        """
        raw = read_json(path)
        try:
            return cls.from_official(raw)
        except KeyError as error:
            raise CheckpointError(f"{path}: field {error} is missing") from error
        except (TypeError, AttributeError) as error:
            raise CheckpointError(f"{path}: a field is of the wrong type: {error}") from error

    @classmethod
    def from_official(cls, raw: Mapping[str, Any]) -> WowSegConfig:
        """Take the official fields that change the arithmetic; see :func:`to_official`.

        Raises:
            CheckpointError: a field has a value this adapter does not compute.
            KeyError: a field without which the sizes are unknown is missing.
        """
        vision, language = raw["vision_config"], raw["llm_config"]
        _refuse_other_models(raw, vision, language)
        return cls(
            vision=VisionConfig(
                hidden_size=vision["hidden_size"],
                num_hidden_layers=vision["num_hidden_layers"],
                num_attention_heads=vision["num_attention_heads"],
                intermediate_size=vision["intermediate_size"],
                image_size=vision["image_size"],
                patch_size=vision["patch_size"],
                layer_norm_eps=vision.get("layer_norm_eps", 1e-6),
                qkv_bias=vision.get("qkv_bias", True),
            ),
            language=LanguageConfig.from_official(language, ("default", "dynamic")),
            downsample_ratio=raw["downsample_ratio"],
            use_thumbnail=raw.get("use_thumbnail", True),
        )

    def to_official(self, dtype: str = "float32") -> dict[str, Any]:
        """The ``config.json`` of the published layout; ``dtype`` is that of the stored weights."""
        vision, language = self.vision, self.language
        return {
            "architectures": ["InternVLChatModel"],
            "model_type": "internvl_chat",
            "downsample_ratio": self.downsample_ratio,
            "dynamic_image_size": True,
            "force_image_size": vision.image_size,
            "max_dynamic_patch": DEFAULT_MAX_TILES,
            "min_dynamic_patch": 1,
            "pad2square": False,
            "ps_version": "v2",
            "select_layer": -1,
            "system_message": None,
            "template": "internvl2_5",
            "tie_word_embeddings": False,
            "torch_dtype": dtype,
            "use_backbone_lora": 0,
            "use_llm_lora": 0,
            "use_thumbnail": self.use_thumbnail,
            "vision_config": {
                "architectures": ["InternVisionModel"],
                "model_type": "intern_vit_6b",
                "hidden_act": "gelu",
                "hidden_size": vision.hidden_size,
                "image_size": vision.image_size,
                "intermediate_size": vision.intermediate_size,
                "layer_norm_eps": vision.layer_norm_eps,
                "norm_type": "layer_norm",
                "num_attention_heads": vision.num_attention_heads,
                "num_channels": 3,
                "num_hidden_layers": vision.num_hidden_layers,
                "patch_size": vision.patch_size,
                "qk_normalization": False,
                "qkv_bias": vision.qkv_bias,
            },
            "llm_config": {
                "architectures": ["Qwen2ForCausalLM"],
                "model_type": "qwen2",
                "hidden_act": "silu",
                "hidden_size": language.hidden_size,
                "intermediate_size": language.intermediate_size,
                "max_position_embeddings": language.max_position_embeddings,
                "num_attention_heads": language.num_attention_heads,
                "num_hidden_layers": language.num_hidden_layers,
                "num_key_value_heads": language.num_key_value_heads,
                "rms_norm_eps": language.rms_norm_eps,
                "rope_theta": language.rope_theta,
                "tie_word_embeddings": False,
                "use_sliding_window": False,
                "vocab_size": language.vocab_size,
            },
        }


def _refuse_other_models(
    raw: Mapping[str, Any], vision: Mapping[str, Any], language: Mapping[str, Any]
) -> None:
    """Refuse what would load but compute something else."""
    side = vision["image_size"]
    expect_fields(
        "wow-seg",
        "config.json",
        # As in the official code, without it the vision tower's size holds.
        {k: v for k, v in raw.items() if v is not None}
        | {"force_image_size": raw.get("force_image_size") or side},
        {
            "select_layer": -1,
            "tie_word_embeddings": False,
            "template": "internvl2_5",
            "force_image_size": side,
            "dynamic_image_size": True,
            "min_dynamic_patch": 1,
            "pad2square": False,
            "use_backbone_lora": 0,
            "use_llm_lora": 0,
        },
        {"ps_version": "v2"},
    )
    # Dynamic scaling changes nothing up to max_position_embeddings, and longer prompts are refused.
    scaling = language.get("rope_scaling") or {}
    scaled = {field: kind for field, kind in scaling.items() if kind not in (None, "default")}
    expect_fields(
        "wow-seg",
        "config.json: llm_config.rope_scaling",
        scaled,
        {"type": "dynamic", "rope_type": "dynamic"},
    )
    expect_fields(
        "wow-seg",
        "config.json: llm_config",
        language,
        {"hidden_act": "silu", "use_sliding_window": False},
        {"architectures": ["Qwen2ForCausalLM"]},
    )
    expect_fields(
        "wow-seg",
        "config.json: vision_config",
        vision,
        {"norm_type": "layer_norm", "hidden_act": "gelu", "qk_normalization": False},
    )


# InternVL2.5-1B (Qwen2.5-0.5B-Instruct) and InternVL3-1B (Qwen2.5-0.5B) have the same sizes.
# Qwen2's vocabulary, in InternVL2-1B, has 19 added tokens fewer than Qwen2.5's.
PRESETS: Mapping[str, WowSegConfig] = {
    "internvl3-1b": WowSegConfig(),
    "internvl2.5-1b": WowSegConfig(),
    "internvl2-1b": WowSegConfig(language=replace(QWEN2_5_HALF_BILLION, vocab_size=151655)),
    # About a quarter of the width and depth, for CPUs; pictures and patches of the published size.
    "mid": WowSegConfig(
        vision=VisionConfig(192, 6, 3, 768),
        language=LanguageConfig(8192, 256, 6, 4, 2, 1024),
    ),
}


def preset_config(name: str) -> WowSegConfig:
    """The sizes called ``name``.

    Raises:
        SettingError: no such preset.
    """
    return chosen_preset("wow-seg", PRESETS, name)
