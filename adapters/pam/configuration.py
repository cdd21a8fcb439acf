"""Sizes of a PAM model: from the official ``config.json``, and from the weights where it is silent.

The configuration describes the language model only. SAM 2 and the Perceiver have their published
sizes in the official code; here they are read off the tensors, so that small models work too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from adapters.checkpoint import expect_fields
from adapters.interface import CheckpointError
from adapters.language import LanguageConfig
from adapters.setting_values import chosen_preset
from adapters.tensor_files import TensorInfo

TOWER_NAME = "sam2"  # what the official code looks for in mm_vision_tower
# The trunks of SAM 2 that PAM does not have, by blocks in their four stages.
_OTHER_TRUNKS = {(1, 2, 7, 2): "Tiny", (1, 2, 11, 2): "Small", (2, 3, 16, 3): "Base+"}
# SAM 2's two layouts agree on names from here on.
_BLOCK = re.compile(r".*\.blocks\.(\d+)\.attn\.qkv\.weight")
_PERCEIVER_MLP = "model.vision_resampler.layers.0.mlp.layers.0.weight"

Shapes = Mapping[str, TensorInfo]


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """SAM 2's image part; the defaults are Hiera-Large's.

    ``blocks`` and ``windows`` (cells a side) are per stage; channels and heads double with every
    stage, from ``trunk_width`` and ``heads``. ``global_blocks`` attend beyond their window.
    ``background`` is the position embedding's grid, ``width`` that of everything behind the trunk.
    """

    trunk_width: int = 144
    heads: int = 2
    blocks: tuple[int, ...] = (2, 6, 36, 4)
    windows: tuple[int, ...] = (8, 4, 16, 8)
    global_blocks: tuple[int, ...] = (23, 33, 43)
    background: tuple[int, int] = (7, 7)
    width: int = 256

    @property
    def stage_widths(self) -> list[int]:
        """Channels of each stage."""
        return [self.trunk_width << stage for stage in range(len(self.blocks))]

    @property
    def stage_heads(self) -> list[int]:
        """Attention heads of each stage."""
        return [self.heads << stage for stage in range(len(self.blocks))]

    @classmethod
    def from_shapes(cls, shapes: Shapes, width: int) -> TowerConfig:
        """Read the sizes off a tower's tensors, named as by SAM 2's authors or by transformers.

        Heads, windows and global blocks leave no trace in the shapes: they are Hiera-Large's, and
        in a trunk of other stages only the third stage's last block is global.

        Args:
            shapes: the tower's tensors.
            width: of everything behind the trunk, from ``config.json``.

        Raises:
            CheckpointError: the tensors are not a SAM 2's, or of another size of SAM 2.
        """
        position = next((s.shape for n, s in shapes.items() if n.endswith(".pos_embed")), None)
        blocks = _blocks_per_stage(shapes)
        if position is None or len(position) != 4 or len(blocks) != 4:
            raise CheckpointError(
                "the vision tower's weights are not SAM 2's; PAM needs sam2.1_hiera_large.pt or "
                "facebook/sam2.1-hiera-large"
            )
        if blocks in _OTHER_TRUNKS:
            raise CheckpointError(
                f"the vision tower's weights are SAM 2's Hiera-{_OTHER_TRUNKS[blocks]}; PAM was "
                "trained with Hiera-Large (sam2.1_hiera_large.pt, facebook/sam2.1-hiera-large)"
            )
        published = cls()
        return replace(
            published,
            trunk_width=position[1],
            blocks=blocks,
            global_blocks=published.global_blocks
            if blocks == published.blocks
            else (sum(blocks[:3]) - 1,),
            background=(position[2], position[3]),
            width=width,
        )


def _blocks_per_stage(shapes: Shapes) -> tuple[int, ...]:
    """Blocks in each stage: where one begins, a block's output is wider than its input."""
    found = {int(m[1]): s.shape for n, s in shapes.items() if (m := _BLOCK.fullmatch(n))}
    starts = [i for i, (out, into) in sorted(found.items()) if i == 0 or out != 3 * into]
    return tuple(end - start for start, end in pairwise([*starts, len(found)]))


@dataclass(frozen=True, slots=True)
class PamConfig:
    """A PAM model: SAM 2, Perceiver and Qwen2.

    ``language.vocab_size`` is the tokenizer's length, as the authors' loader makes it;
    ``stored_vocabulary`` the rows of the embedding in the checkpoint, of which it cuts off the
    last. ``context`` bounds a prompt and its answer.
    """

    language: LanguageConfig
    stored_vocabulary: int
    tower: TowerConfig = TowerConfig()
    perceiver_mlp: int = 2048
    context: int = 12288

    @classmethod
    def from_official(
        cls, raw: Mapping[str, Any], tokenizer_length: int, shapes: Shapes, tower: Shapes
    ) -> PamConfig:
        """Take what changes the arithmetic from the configuration and the weights' shapes.

        Args:
            raw: the official ``config.json``, which is a PAM's.
            tokenizer_length: entries of the tokenizer, added ones included.
            shapes: tensors of the checkpoint, by official name.
            tower: tensors of the vision tower.

        Raises:
            CheckpointError: a field is missing or of the wrong type, or does not fit the
                tokenizer.
        """
        try:
            language = LanguageConfig.from_official(raw)
            if tokenizer_length > language.vocab_size:
                raise CheckpointError(
                    f"the tokenizer has {tokenizer_length} entries, more than the vocab_size "
                    f"{language.vocab_size} of config.json; is it another model's?"
                )
            mlp = shapes.get(_PERCEIVER_MLP)
            return cls(
                language=replace(language, vocab_size=tokenizer_length),
                stored_vocabulary=language.vocab_size,
                tower=TowerConfig.from_shapes(tower, raw.get("mm_hidden_size", 256)),
                perceiver_mlp=mlp.shape[0] if mlp else 2048,
                context=min(
                    language.max_position_embeddings, raw.get("tokenizer_model_max_length", 12288)
                ),
            )
        except KeyError as error:
            raise CheckpointError(f"config.json: field {error} is missing") from error
        except (TypeError, AttributeError) as error:
            raise CheckpointError(f"config.json: a field is of the wrong type: {error}") from error


def refuse_other_models(raw: Mapping[str, Any]) -> None:
    """Refuse what would load but compute something else.

    Raises:
        CheckpointError: names the field.
    """
    tower = raw.get("mm_vision_tower")
    if raw.get("model_type") == "llava_qwen" and TOWER_NAME not in str(tower):
        raise CheckpointError(
            f"config.json: a llava_qwen whose mm_vision_tower is {tower!r} is not a PAM, whose "
            "vision tower is SAM 2; is this a LLaVA checkpoint?"
        )
    expect_fields(
        "pam",
        "config.json",
        raw,
        {
            "hidden_act": "silu",
            "use_sliding_window": False,
            "mm_projector_type": "mlp2x_gelu",
            "mm_use_im_start_end": False,
        },
    )


def _published(hidden: int, layers: int, heads: int, feed_forward: int) -> PamConfig:
    """A model on Qwen2.5-Instruct, whose tokenizer has 151,665 entries."""
    language = LanguageConfig(
        vocab_size=151665,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=2,
        intermediate_size=feed_forward,
        tie_word_embeddings=True,
    )
    return PamConfig(language, stored_vocabulary=151936)


PRESETS: Mapping[str, PamConfig] = {
    "pam-1.5b": _published(1536, 28, 12, 8960),
    "pam-3b": _published(2048, 36, 16, 11008),
    # About a quarter of PAM-1.5B's width and depth, and of SAM 2's trunk, for CPUs.
    "mid": PamConfig(
        LanguageConfig(8192, 384, 7, 3, 1, 2240, tie_word_embeddings=True),
        stored_vocabulary=8192,
        tower=TowerConfig(
            trunk_width=72, heads=1, blocks=(1, 2, 9, 1), global_blocks=(11,), width=64
        ),
        perceiver_mlp=512,
    ),
}


def preset_config(name: str) -> PamConfig:
    """The sizes called ``name``.

    Raises:
        SettingError: no such preset.
    """
    return chosen_preset("pam", PRESETS, name)
