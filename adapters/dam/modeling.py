"""The DAM network: SigLIP with a mask channel, focal context provider, projector, Llama.

The modules are named as in the official checkpoints: a part's name, then the names in its file.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import (
    SiglipEncoder,
    SiglipMLP,
    SiglipMultiheadAttentionPoolingHead,
)

from adapters.dam.configuration import ContextConfig, DamConfig, VisionConfig
from adapters.language import build_llama


def _siglip(vision: VisionConfig, context: ContextConfig | None = None) -> SiglipVisionConfig:
    """The tower's sizes, or those of the blocks that ``context`` puts behind the tower's."""
    part = context or vision
    return SiglipVisionConfig(
        hidden_size=vision.hidden_size,
        num_hidden_layers=vision.num_hidden_layers,
        num_attention_heads=part.num_attention_heads,
        intermediate_size=part.intermediate_size,
        image_size=vision.image_size,
        patch_size=vision.patch_size,
        layer_norm_eps=part.layer_norm_eps,
        attn_implementation="sdpa",
    )


class Embeddings(nn.Module):
    """Patches of a picture and of its mask, added up with their positions."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width, patch = config.hidden_size, config.patch_size
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch)
        self.mask_patch_embedding = nn.Conv2d(1, width, patch, stride=patch)
        self.position_embedding = nn.Embedding(config.grid**2, width)

    def forward(self, pictures: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """Embed masks ``[n, 1, S, S]`` over pictures ``[n or 1, 3, S, S]``: ``[n, patches, D]``."""
        patches = self.patch_embedding(pictures) + self.mask_patch_embedding(masks)
        embedded: torch.Tensor = patches.flatten(2).transpose(1, 2) + self.position_embedding.weight
        return embedded


class VisionModel(nn.Module):
    """SigLIP's vision model; what is stored with it but never used is kept and not computed."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        siglip = _siglip(config)
        self.embeddings = Embeddings(config)
        self.encoder = SiglipEncoder(siglip)
        if "post_layernorm" in config.unused:
            self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        if "head" in config.unused:
            self.head = SiglipMultiheadAttentionPoolingHead(siglip)


class VisionTower(nn.Module):
    """What the official file of the vision tower holds."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.vision_model = VisionModel(config)


class CrossAttention(nn.Module):
    """Attention from the focal crop to the full picture."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, crop: torch.Tensor, full: torch.Tensor) -> torch.Tensor:
        """Attend from ``crop`` to ``full``, both ``[n, patches, D]``."""
        query, key, value = (
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.q_proj(crop), self.k_proj(full), self.v_proj(full))
        )
        attended = scaled_dot_product_attention(query, key, value)
        output: torch.Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return output


class ContextLayer(nn.Module):
    """One gated block: cross-attention, then an MLP. The gates multiply as they are."""

    def __init__(self, siglip: SiglipVisionConfig) -> None:
        super().__init__()
        width, eps = siglip.hidden_size, siglip.layer_norm_eps
        self.layer_norm1 = nn.LayerNorm(width, eps=eps)
        self.cross_attn = CrossAttention(width, siglip.num_attention_heads)
        self.attn_factor = nn.Parameter(torch.ones(1))
        self.layer_norm2 = nn.LayerNorm(width, eps=eps)
        self.mlp = SiglipMLP(siglip)
        self.mlp_factor = nn.Parameter(torch.ones(1))

    def forward(self, crop: torch.Tensor, full: torch.Tensor) -> torch.Tensor:
        """Fuse the full picture's features, which are not normalised, into the crop's."""
        crop = crop + self.attn_factor * self.cross_attn(self.layer_norm1(crop), full)
        fused: torch.Tensor = crop + self.mlp_factor * self.mlp(self.layer_norm2(crop))
        return fused


class ContextLayers(nn.Module):
    """The blocks of the context provider, one behind each of the tower's."""

    def __init__(self, siglip: SiglipVisionConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ContextLayer(siglip) for _ in range(siglip.num_hidden_layers))


class ContextProvider(nn.Module):
    """What the official file of the context provider holds."""

    def __init__(self, siglip: SiglipVisionConfig) -> None:
        super().__init__()
        self.context_provider_module = ContextLayers(siglip)


class Downsample(nn.Module):
    """Folds 2x2 patches into one token, row by row within the fold, columns before rows outside.

    An odd grid is filled up with zeros at the bottom and on the right.
    """

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Fold ``[n, g * g, D]`` to ``[n, G * G, 4 * D]``, G half of g rounded up.

        Token ``G * j + i`` is row i, column j.
        """
        batch, count, width = patches.shape
        grid = round(count**0.5)
        square = patches.reshape(batch, grid, grid, width)
        square = pad(square, (0, 0, 0, grid % 2, 0, grid % 2))
        half = square.shape[1] // 2
        folded = square.reshape(batch, half, 2, half, 2, width)  # i, row, j, column
        return folded.permute(0, 3, 1, 2, 4, 5).reshape(batch, half * half, 4 * width)


class Projector(nn.Module):
    """From folded patches to the language model's width."""

    def __init__(self, config: DamConfig) -> None:
        super().__init__()
        width, hidden = 4 * config.vision.hidden_size, config.language.hidden_size
        self.layers = nn.Sequential(
            Downsample(),
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
        )

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Project ``[n, patches, D]`` to ``[n, tokens, hidden]``."""
        tokens: torch.Tensor = self.layers(patches)
        return tokens


class DamModel(nn.Module):
    """The whole network; ``context_provider`` is ``None`` where the checkpoint has none.

    Of the tower's blocks only the first ``config.depth`` act, and as many of the context
    provider's; the others are kept, so that the weights are those of the checkpoint.
    """

    def __init__(self, config: DamConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = VisionTower(config.vision)
        self.context_provider = (
            ContextProvider(_siglip(config.vision, config.context)) if config.context else None
        )
        self.mm_projector = Projector(config)
        self.llm = build_llama(config.language)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of all activations."""
        return next(self.parameters()).dtype

    def look(self, picture: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """Features of the full picture, for each of its regions.

        The mask enters with the patches and so nothing but the picture's own patches, which
        are embedded once, is the same for two regions.

        Args:
            picture: ``[1, 3, S, S]``, normalised.
            masks: ``[n, 1, S, S]``, normalised.

        Returns:
            ``[n, patches, D]``, without a final norm.
        """
        vision = self.vision_tower.vision_model
        hidden: torch.Tensor = vision.embeddings(picture, masks)
        for block in vision.encoder.layers[: self.config.depth]:
            hidden = block(hidden, None)
        return hidden

    def focus(
        self, crops: torch.Tensor, crop_masks: torch.Tensor, full: torch.Tensor
    ) -> torch.Tensor:
        """Features of focal crops, with the full picture's fused in.

        Args:
            crops: ``[n, 3, S, S]``, normalised.
            crop_masks: ``[n, 1, S, S]``, normalised.
            full: ``[n, patches, D]`` of :meth:`look`.

        Returns:
            ``[n, patches, D]``.

        Raises:
            ValueError: the model has no context provider.
        """
        if self.context_provider is None:
            raise ValueError("this DAM has no context provider to look at focal crops with")
        vision, depth = self.vision_tower.vision_model, self.config.depth
        provider = self.context_provider.context_provider_module
        hidden: torch.Tensor = vision.embeddings(crops, crop_masks)
        for block, fuse in zip(vision.encoder.layers[:depth], provider.layers, strict=False):
            hidden = fuse(block(hidden, None), full)
        return hidden

    def project(self, patches: torch.Tensor) -> torch.Tensor:
        """Image tokens ``[n, tokens, hidden]`` of features ``[n, patches, D]``."""
        tokens: torch.Tensor = self.mm_projector(patches)
        return tokens

    def embed(self, token_ids: Sequence[int]) -> torch.Tensor:
        """Embeddings ``[L, hidden]`` of text."""
        ids = torch.tensor(token_ids, dtype=torch.int64, device=self.device)
        embeddings: torch.Tensor = self.llm.model.embed_tokens(ids)
        return embeddings

    def follow(self, pictures: torch.Tensor, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """What follows the first text of n prompts that differ in their pictures only.

        Args:
            pictures: image tokens ``[n, pictures, tokens, hidden]``.
            texts: the token ids behind each picture.

        Returns:
            Embeddings ``[n, L, hidden]``.
        """
        rows = len(pictures)
        behind = [self.embed(text).expand(rows, -1, -1) for text in texts]
        pairs = zip(pictures.unbind(1), behind, strict=True)
        return torch.cat([part for pair in pairs for part in pair], dim=1)
