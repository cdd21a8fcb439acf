"""The Osprey network: ConvNeXt, projector, mask extractor, Llama."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from transformers import ConvNextConfig
from transformers.models.convnext.modeling_convnext import ConvNextEmbeddings, ConvNextStage

from adapters.language import build_llama
from adapters.osprey.configuration import OspreyConfig, VisionConfig
from adapters.osprey.preprocessing import POSITION_SIDE, RegionGrids


class VisionTower(nn.Module):
    """CLIP's ConvNeXt without its head."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        widths, depths = config.widths, config.depths
        sizes = ConvNextConfig(hidden_sizes=list(widths), depths=list(depths), hidden_act="gelu")
        self.embeddings = ConvNextEmbeddings(sizes)
        self.stages = nn.ModuleList(
            ConvNextStage(sizes, before, width, stride=1 if i == 0 else 2, depth=depth)
            for i, (before, width, depth) in enumerate(
                zip((widths[0], *widths[:-1]), widths, depths, strict=True)
            )
        )

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Feature maps after each stage, for ``[batch, 3, 512, 512]`` normalised pixels.

        Returns:
            Four maps ``[batch, width, side, side]``, res2 to res5, of sides 128, 64, 32 and 16.
        """
        features = self.embeddings(pixels)
        maps = []
        for stage in self.stages:
            features = stage(features)
            maps.append(features)
        return tuple(maps)


class MaskExtractor(nn.Module):
    """Two embeddings of a mask: what is under it, and where it is.

    Always float32, as in the authors' code, whatever the rest of the network computes in.
    """

    def __init__(self, config: OspreyConfig) -> None:
        super().__init__()
        width, hidden = config.mask_width, config.language.hidden_size
        self.levels = nn.ModuleList(nn.Linear(w, width) for w in config.vision.widths)
        self.region = nn.Linear(width, hidden)
        self.position = nn.Sequential(
            nn.Linear(POSITION_SIDE**2, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, hidden),
        )

    def forward(self, maps: Sequence[torch.Tensor], grids: RegionGrids) -> torch.Tensor:
        """Embeddings of N masks.

        Args:
            maps: one picture's feature maps, ``[width, side, side]`` each.
            grids: the masks.

        Returns:
            float32 ``[N, 2, hidden]``: the region's embedding, then its position's.
        """
        pooled = zip(self.levels, self.pool(maps, grids), strict=True)
        region = self.region(sum(level(features) for level, features in pooled))
        return torch.stack([region, self.position(grids.positions)], dim=1)

    @staticmethod
    def pool(maps: Sequence[torch.Tensor], grids: RegionGrids) -> list[torch.Tensor]:
        """Mean of each feature map under each mask, zeros where nothing is under it.

        Returns:
            For each map float32 ``[N, width]``.
        """
        pooled = []
        for features, grid in zip(maps, grids.levels, strict=True):
            inside = grid.float()
            total = inside @ features.float().flatten(1).T
            pooled.append(total / (inside.sum(1, keepdim=True) + 1e-8))
        return pooled


class EncodedImage(NamedTuple):
    """One picture's feature maps, ``[width, side, side]`` each, and tokens ``[1024, hidden]``."""

    maps: tuple[torch.Tensor, ...]
    tokens: torch.Tensor


class OspreyModel(nn.Module):
    """Vision tower, projector, mask extractor and language model."""

    def __init__(self, config: OspreyConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.language.hidden_size
        self.vision_tower = VisionTower(config.vision)
        self.mm_projector = nn.Sequential(
            nn.Linear(config.vision.widths[2], hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.mask_extractor = MaskExtractor(config)
        self.language_model = build_llama(config.language)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights, the mask extractor's apart."""
        return next(self.parameters()).dtype

    def encode_image(self, pixels: torch.Tensor) -> EncodedImage:
        """Encode one picture, ``[3, 512, 512]``, normalised."""
        maps = self.vision_tower(pixels[None].to(self.device, self.dtype))
        tokens = self.mm_projector(maps[2].flatten(2).transpose(1, 2))
        return EncodedImage(tuple(features[0] for features in maps), tokens[0])

    def encode_regions(self, image: EncodedImage, grids: RegionGrids) -> torch.Tensor:
        """Encode N masks of a picture.

        Returns:
            ``[N, 2, hidden]``: what replaces ``<mask>`` and ``<pos>``.
        """
        found: torch.Tensor = self.mask_extractor(image.maps, grids.to(self.device))
        return found.to(self.dtype)

    def embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        """Word embeddings ``[n, hidden]``."""
        table = self.language_model.model.embed_tokens
        found: torch.Tensor = table(torch.tensor(token_ids, dtype=torch.int64, device=self.device))
        return found
