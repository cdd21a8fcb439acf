"""Sizes of an Osprey model, read from the official ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from adapters.checkpoint import expect_fields, read_json
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.osprey.settings import ADAPTER
from adapters.setting_values import chosen_preset

# Where the authors take the vision tower from.
CLIP_HUB_ID = "laion/CLIP-convnext_large_d_320.laion2B-s29B-b131K-ft-soup"
CLIP_FILE = "open_clip_pytorch_model.bin"
# The official code hard-wires the sizes of everything but the language model. Checkpoints of other
# sizes, such as those of tests, give them under this key, which the official code ignores.
_SIZES = "golden_dims"


@dataclass(frozen=True, slots=True)
class VisionConfig:
    """ConvNeXt: channels and blocks of its four stages. The defaults are CLIP ConvNeXt-L's."""

    widths: tuple[int, ...] = (192, 384, 768, 1536)
    depths: tuple[int, ...] = (3, 3, 27, 3)


@dataclass(frozen=True, slots=True)
class OspreyConfig:
    """An Osprey model: vision tower, projector, mask extractor and Llama.

    ``mask_width`` is that of the mask extractor's inner layers; ``vision_tower`` where the
    configuration says that the file of CLIP weights is.
    """

    language: LanguageConfig
    vision: VisionConfig = VisionConfig()
    mask_width: int = 1024
    vision_tower: str = CLIP_FILE

    @property
    def vision_tower_file(self) -> str:
        """Name of the file of CLIP weights."""
        return PurePath(self.vision_tower).name

    @classmethod
    def from_json(cls, path: Path) -> OspreyConfig:
        """Read an official ``config.json``.

        Raises:
            CheckpointError: the file is missing or not JSON, a field is missing, or the model is
                of a kind this adapter does not compute.
        """
        raw = read_json(path)
        try:
            return cls.from_official(raw)
        except KeyError as error:
            raise CheckpointError(f"{path}: field {error} is missing") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"{path}: a field is of the wrong type: {error}") from error

    @classmethod
    def from_official(cls, raw: Mapping[str, Any]) -> OspreyConfig:
        """Take the official fields that change the arithmetic.

        Raises:
            CheckpointError: a field has a value this adapter does not compute.
            KeyError: a field without which the sizes are unknown is missing.
        """
        expect_fields(
            ADAPTER,
            "config.json",
            raw,
            {
                "hidden_act": "silu",
                "rope_scaling": None,
                "tie_word_embeddings": False,
                "mm_projector_type": "mlp2x_gelu",
                "mm_use_im_start_end": False,
                "mm_use_im_patch_token": False,
            },
        )
        sizes = raw.get(_SIZES, {})
        published = VisionConfig()
        vision = VisionConfig(
            tuple(sizes.get("vision_dims", published.widths)),
            tuple(sizes.get("vision_depths", published.depths)),
        )
        if len(vision.widths) != 4 or len(vision.depths) != 4:
            raise CheckpointError(f"config.json: {_SIZES} must give four stages' sizes")
        # The official code never writes mm_hidden_size and reads 768, the published width.
        projected = raw.get("mm_hidden_size", published.widths[2])
        if projected != vision.widths[2]:
            raise CheckpointError(
                f"config.json: mm_hidden_size is {projected}, but the vision tower's third stage "
                f"is {vision.widths[2]} wide"
            )
        return cls(
            language=LanguageConfig.from_official(raw),
            vision=vision,
            mask_width=sizes.get("mask_embed_dim", 1024),
            vision_tower=raw.get("mm_vision_tower") or CLIP_FILE,
        )


PRESETS: Mapping[str, OspreyConfig] = {
    # Vicuna-7B v1.5 with CLIP ConvNeXt-L.
    "osprey-7b": OspreyConfig(
        LanguageConfig(32000, 4096, 32, 32, 32, 11008, 4096, rope_theta=1e4, rms_norm_eps=1e-5)
    ),
    # About an eighth of the width and a quarter of the depth, for CPUs.
    "mid": OspreyConfig(
        LanguageConfig(8192, 512, 8, 4, 4, 1376, 4096, rope_theta=1e4, rms_norm_eps=1e-5),
        VisionConfig((24, 48, 96, 192), (1, 1, 7, 1)),
        mask_width=128,
    ),
}


def preset_config(name: str) -> OspreyConfig:
    """The sizes called ``name``.

    Raises:
        SettingError: no such preset.
    """
    return chosen_preset(ADAPTER, PRESETS, name)
