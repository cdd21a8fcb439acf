"""The PAM network: SAM 2, the semantic Perceiver, two projectors, Qwen2.

What the regions of one picture can share is SAM 2's image encoder, and the words before the
picture in the prompt. PAM's 1024 image tokens are not the encoder's features but what SAM 2's mask
decoder leaves of them: its two-way transformer lets the picture's cells read the region's prompt,
so that every cell, and everything computed from it, belongs to one region. The Perceiver rewrites
the cells a second time. So each region brings its own 1042 vectors to the language model, and no
keys or values behind them can be shared.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from transformers.models.sam2.configuration_sam2 import Sam2MaskDecoderConfig
from transformers.models.sam2.modeling_sam2 import Sam2TwoWayTransformer

from adapters.language import build_qwen2
from adapters.pam.configuration import PamConfig
from adapters.pam.vision import GRID, DecodedPrompts, ImageFeatures, PromptedTower, grid_code

SEMANTIC_TOKENS = 16
FOLD = 2  # cells along each side that one image token covers
IMAGE_TOKENS = (GRID // FOLD) ** 2
VISUAL_TOKENS = IMAGE_TOKENS + 1 + SEMANTIC_TOKENS + 1  # each kind is followed by a newline
REGION_BATCH = 16  # regions prompted at a time; bounds the mask decoder's memory


class Perceiver(nn.Module):
    """PAM's semantic Perceiver: a two-way transformer like that of SAM 2's mask decoder."""

    positional_embedding: torch.Tensor

    def __init__(self, config: PamConfig) -> None:
        super().__init__()
        width = config.tower.width
        self.sem_tokens = nn.Embedding(SEMANTIC_TOKENS, width)
        self.register_buffer("positional_embedding", torch.randn(2, width // 2))
        self.transformer = Sam2TwoWayTransformer(
            Sam2MaskDecoderConfig(
                hidden_size=width, mlp_dim=config.perceiver_mlp, attn_implementation="sdpa"
            )
        )

    def forward(
        self, mask_tokens: torch.Tensor, cells: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compress N prompted pictures.

        Args:
            mask_tokens: ``[N, 2, W]``.
            cells: ``[N, 4096, W]``, row by row.

        Returns:
            Semantic tokens ``[N, 16, W]`` and image tokens ``[N, 1024, 4 * W]``. Image tokens
            run down the columns of 2x2 blocks: token 32 i + j has the cells of rows 2j, 2j + 1
            and columns 2i, 2i + 1, row by row.
        """
        queries = torch.cat([mask_tokens, self.sem_tokens.weight.expand(len(cells), -1, -1)], dim=1)
        positions = grid_code(self.positional_embedding).to(cells.dtype)
        read, cells = self.transformer(
            point_embeddings=queries[:, None],
            image_embeddings=cells.transpose(1, 2).reshape(len(cells), -1, GRID, GRID),
            image_positional_embeddings=positions.T.reshape(1, -1, GRID, GRID),
            attention_similarity=None,
        )
        side = GRID // FOLD
        blocks = cells[:, 0].reshape(len(cells), side, FOLD, side, FOLD, -1)
        image = blocks.permute(0, 3, 1, 2, 4, 5).flatten(3).flatten(1, 2)
        return read[:, 0, mask_tokens.shape[1] :], image


def _projector(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))


class PamModel(nn.Module):
    """Vision tower, Perceiver, projectors and language model, with the official projector names."""

    def __init__(self, config: PamConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.tower.width, config.language.hidden_size
        self.vision_tower = PromptedTower(config.tower)
        self.vision_resampler = Perceiver(config)
        self.mm_projector_img = _projector(width * FOLD**2, hidden)
        self.mm_projector_semT = _projector(width, hidden)
        self.image_newline = nn.Parameter(torch.randn(hidden) * hidden**-0.5)
        self.semT_newline = nn.Parameter(torch.randn(hidden) * hidden**-0.5)
        self.language_model = build_qwen2(config.language)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.image_newline.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of all activations."""
        return self.image_newline.dtype

    def encode_image(self, pixels: torch.Tensor) -> ImageFeatures:
        """Encode one picture, ``[1, 3, 1024, 1024]``, normalised; all its regions share this."""
        return self.vision_tower.encode(pixels)

    def encode_regions(
        self, features: ImageFeatures, points: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """What the language model reads of N regions of a picture.

        Args:
            features: the picture's.
            points: float32 ``[N, P, 2]``; see :meth:`PromptedTower.embed_prompts`.
            labels: int64 ``[P]``.

        Returns:
            ``[N, 1042, hidden]``.
        """
        prompts = self.vision_tower.embed_prompts(points, labels)
        groups = [
            self.perceive(self.vision_tower.decode(features, sparse))
            for sparse in torch.split(prompts, REGION_BATCH)
        ]
        return torch.cat(groups)

    def perceive(self, decoded: DecodedPrompts) -> torch.Tensor:
        """Visual block ``[N, 1042, hidden]`` of decoded prompts."""
        semantic, image = self.vision_resampler(decoded.chosen_tokens(), decoded.image)
        newlines = (self.image_newline, self.semT_newline)
        ends = [newline.expand(len(image), 1, -1) for newline in newlines]
        blocks = [self.mm_projector_img(image), ends[0], self.mm_projector_semT(semantic), ends[1]]
        return torch.cat(blocks, dim=1)

    def embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        """Word embeddings ``[n, hidden]``."""
        table = self.language_model.model.embed_tokens
        found: torch.Tensor = table(torch.tensor(token_ids, dtype=torch.int64, device=self.device))
        return found
