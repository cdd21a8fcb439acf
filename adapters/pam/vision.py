"""SAM 2.1 as PAM uses it: the picture's features once, then what its mask decoder makes of prompts.

The network's parts are transformers' ``Sam2Model``; its own ``forward`` keeps the decoder's
tokens and image features to itself, which are all that PAM takes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import nn
from transformers import Sam2Config, Sam2Model
from transformers.models.sam2.configuration_sam2 import (
    Sam2HieraDetConfig,
    Sam2MaskDecoderConfig,
    Sam2PromptEncoderConfig,
    Sam2VisionConfig,
)

from adapters.pam.configuration import TowerConfig
from adapters.pam.preprocessing import IMAGE_SIZE

GRID = 64  # cells along each side of the feature map PAM reads
_STABILITY_MARGIN = 0.05
_STABLE = 0.98


class ImageFeatures(NamedTuple):
    """One picture's features, ``[1, channels, side, side]`` each.

    ``fine`` (256 cells a side) and ``middle`` (128) only sharpen mask logits; ``coarse`` (64)
    includes SAM 2's no-memory embedding.
    """

    fine: torch.Tensor
    middle: torch.Tensor
    coarse: torch.Tensor


class DecodedPrompts(NamedTuple):
    """What the mask decoder makes of N prompts; W is the tower's width.

    ``mask_tokens`` ``[N, 4, W]``: after the two-way transformer. ``image`` ``[N, 4096, W]``: the
    picture's cells after it, row by row. ``mask_logits`` ``[N, 4, 256, 256]``, ``iou_scores``
    ``[N, 4]``, ``object_logits`` ``[N, 1]``: as SAM 2 predicts them.
    """

    mask_tokens: torch.Tensor
    image: torch.Tensor
    mask_logits: torch.Tensor
    iou_scores: torch.Tensor
    object_logits: torch.Tensor

    @property
    def stability(self) -> torch.Tensor:
        """Share ``[N]`` of the first mask that a stricter threshold leaves of a laxer one's."""
        first = self.mask_logits[:, 0].flatten(1)
        strict = (first > _STABILITY_MARGIN).sum(1).float()
        lax = (first > -_STABILITY_MARGIN).sum(1).float()
        return torch.where(lax > 0, strict / lax, 1.0)

    def chosen_tokens(self) -> torch.Tensor:
        """The two mask tokens that PAM reads, ``[N, 2, W]``.

        The second is that of the first mask; so is the first where that mask is stable, and
        where it is not, that of the other three masks' best by predicted IoU.
        """
        single = self.mask_tokens[:, 0]
        best = 1 + self.iou_scores[:, 1:].argmax(1)
        other = self.mask_tokens.take_along_dim(best[:, None, None], 1)[:, 0]
        first = torch.where(self.stability[:, None] >= _STABLE, single, other)
        return torch.stack([first, single], dim=1)


def fourier_code(points: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Random Fourier code of positions (Tancik et al. 2020), in float32.

    Args:
        points: float32 ``[..., 2]``, x and y, 0 to 1 across the picture.
        matrix: ``[2, W / 2]``.

    Returns:
        float32 ``[..., W]``.
    """
    angles = 2 * math.pi * ((2 * points - 1) @ matrix.float())
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def grid_code(matrix: torch.Tensor) -> torch.Tensor:
    """Codes of the feature map's cell centres, float32 ``[4096, W]``, row by row."""
    centres = (torch.arange(GRID, dtype=torch.float32, device=matrix.device) + 0.5) / GRID
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return fourier_code(torch.stack([x, y], dim=-1).flatten(0, 1), matrix)


def build_sam2(config: TowerConfig) -> Sam2Model:
    """SAM 2's image part of these sizes."""
    trunk = Sam2HieraDetConfig(
        hidden_size=config.trunk_width,
        num_attention_heads=config.heads,
        blocks_per_stage=list(config.blocks),
        embed_dim_per_stage=config.stage_widths,
        num_attention_heads_per_stage=config.stage_heads,
        window_size_per_stage=list(config.windows),
        window_positional_embedding_background_size=list(config.background),
        global_attention_blocks=list(config.global_blocks),
    )
    vision = Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=config.stage_widths[::-1],
        fpn_hidden_size=config.width,
    )
    return Sam2Model(
        Sam2Config(
            vision_config=vision,
            prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=config.width),
            mask_decoder_config=Sam2MaskDecoderConfig(hidden_size=config.width),
            attn_implementation="sdpa",
        )
    )


class PromptedTower(nn.Module):
    """SAM 2, asked for its features under prompts."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.sam2 = build_sam2(config)

    def encode(self, pixels: torch.Tensor) -> ImageFeatures:
        """Encode one picture, ``[1, 3, 1024, 1024]``, normalised."""
        fine, middle, coarse = self.sam2.vision_encoder(pixels).fpn_hidden_states
        decoder = self.sam2.mask_decoder
        no_memory = self.sam2.no_memory_embedding.reshape(1, -1, 1, 1)
        return ImageFeatures(decoder.conv_s0(fine), decoder.conv_s1(middle), coarse + no_memory)

    def embed_prompts(self, points: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Sparse embeddings of N prompts of P points each.

        The points stay float32 up to their codes, also where the network is bfloat16: the
        authors' bfloat16 rounds them to four pixels of 1024, which is an accident of the type.

        Args:
            points: float32 ``[N, P, 2]``, on the grid of ``IMAGE_SIZE`` pixels a side.
            labels: int64 ``[P]``: 0 outside and 1 inside of the region, 2 a box's upper left
                and 3 its lower right corner.

        Returns:
            ``[N, P + 1, W]``; the last is SAM 2's padding.
        """
        encoder = self.sam2.prompt_encoder
        codes = fourier_code(
            (points + 0.5) / IMAGE_SIZE, encoder.shared_embedding.positional_embedding
        )
        padding = encoder.not_a_point_embed.weight
        told = codes.to(padding.dtype) + encoder.point_embed(labels)
        return torch.cat([told, padding.expand(len(points), 1, -1)], dim=1)

    def decode(self, features: ImageFeatures, sparse: torch.Tensor) -> DecodedPrompts:
        """Run the mask decoder on N prompts of one picture.

        Args:
            features: the picture's.
            sparse: ``[N, P, W]``.
        """
        decoder, encoder = self.sam2.mask_decoder, self.sam2.prompt_encoder
        count = len(sparse)
        own = [decoder.obj_score_token, decoder.iou_token, decoder.mask_tokens]
        tokens = torch.cat([embedding.weight for embedding in own]).expand(count, -1, -1)
        image = features.coarse + encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
        positions = grid_code(encoder.shared_embedding.positional_embedding).to(image.dtype)
        # transformers holds pictures and prompts in two dimensions: here N pictures of one prompt.
        read, cells = decoder.transformer(
            point_embeddings=torch.cat([tokens, sparse], dim=1)[:, None],
            image_embeddings=image.expand(count, -1, -1, -1),
            image_positional_embeddings=positions.T.reshape(1, -1, GRID, GRID),
            attention_similarity=None,
        )
        read, cells = read[:, 0], cells[:, 0]
        mask_tokens = read[:, 2:6]
        return DecodedPrompts(
            mask_tokens=mask_tokens,
            image=cells,
            mask_logits=self._masks(features, mask_tokens, cells),
            iou_scores=decoder.iou_prediction_head(read[:, 1]),
            object_logits=decoder.pred_obj_score_head(read[:, 0]),
        )

    def _masks(
        self, features: ImageFeatures, mask_tokens: torch.Tensor, cells: torch.Tensor
    ) -> torch.Tensor:
        """Logits ``[N, 4, 256, 256]`` of the four masks."""
        decoder = self.sam2.mask_decoder
        image = cells.transpose(1, 2).reshape(len(cells), -1, GRID, GRID)
        image = decoder.upscale_conv1(image) + features.middle
        image = decoder.activation(decoder.upscale_layer_norm(image))
        image = decoder.activation(decoder.upscale_conv2(image) + features.fine)
        heads = decoder.output_hypernetworks_mlps
        kernels = torch.stack([head(mask_tokens[:, i]) for i, head in enumerate(heads)], dim=1)
        return torch.einsum("nkc,nchw->nkhw", kernels, image)
