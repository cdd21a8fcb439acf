"""The WOW-Seg network: InternViT, pixel shuffle, projector, Qwen2."""

from __future__ import annotations

import torch
from torch import nn
from transformers.models.internvl.configuration_internvl import InternVLVisionConfig
from transformers.models.internvl.modeling_internvl import InternVLVisionModel

from adapters.decoding import additive
from adapters.device import upload
from adapters.language import build_qwen2
from adapters.wow_seg.configuration import VisionConfig, WowSegConfig


def _vision_model(config: VisionConfig) -> InternVLVisionModel:
    return InternVLVisionModel(
        InternVLVisionConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            image_size=config.image_size,
            patch_size=config.patch_size,
            layer_norm_eps=config.layer_norm_eps,
            attention_bias=config.qkv_bias,
            use_mean_pooling=True,  # no final norm
            attn_implementation="sdpa",
        )
    )


class WowSegModel(nn.Module):
    """Vision tower, projector and language model, with the official projector names.

    Trainable as it is; nothing here turns gradients off.
    """

    def __init__(self, config: WowSegConfig) -> None:
        super().__init__()
        self.config = config
        width = config.vision.hidden_size * config.shuffle**2
        hidden = config.language.hidden_size
        self.vision_model = _vision_model(config.vision)
        self.mlp1 = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.language_model = build_qwen2(config.language)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of all activations."""
        return next(self.parameters()).dtype

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode tiles or crops.

        Args:
            pixels: ``[batch, 3, image_size, image_size]``, normalised.

        Returns:
            ``[batch, grid * grid, hidden]``; token ``grid * i + j`` is row i, column j.
        """
        patches = self.vision_model(pixels).last_hidden_state[:, 1:]  # without the class token
        batch, _, width = patches.shape
        grid, fold = self.config.grid, self.config.shuffle
        patches = patches.reshape(batch, grid, fold, grid, fold, width).transpose(2, 3)
        features: torch.Tensor = self.mlp1(patches.reshape(batch, grid * grid, -1))
        return features

    def embed(
        self, input_ids: torch.Tensor, features: torch.Tensor, image_context: int
    ) -> torch.Tensor:
        """Input embeddings with the image context tokens replaced by features, in order.

        Args:
            input_ids: int64 ``[..., N]``; when on the host, it does not wait for the device.
            features: ``[M, hidden]``; M is the number of image context tokens.
            image_context: id of ``<IMG_CONTEXT>``.

        Returns:
            ``[..., N, hidden]``.

        Raises:
            ValueError: M differs from the number of image context tokens.
        """
        places = (input_ids == image_context).flatten().nonzero()[:, 0]
        if len(places) != len(features):
            raise ValueError(f"{len(places)} image context tokens but {len(features)} features")
        table = self.language_model.model.embed_tokens
        embeddings: torch.Tensor = table(upload(input_ids, self.device))
        places = upload(places, self.device)
        flat = embeddings.flatten(0, -2).index_copy(0, places, features.to(embeddings.dtype))
        return flat.view_as(embeddings)

    def forward(
        self,
        embeddings: torch.Tensor,
        allowed: torch.Tensor | None = None,
        positions: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Logits of a whole sequence, for training and teacher forcing.

        Args:
            embeddings: ``[batch, N, hidden]``.
            allowed: bool ``[batch, N, N]``, true where the row may attend to the column;
                ``None`` is plain causal.
            positions: int64 ``[batch, N]``; ``None`` is 0 … N-1.

        Returns:
            ``[batch, N, vocabulary]``.
        """
        mask = None if allowed is None else additive(allowed[:, None], embeddings.dtype)
        output = self.language_model(
            inputs_embeds=embeddings, attention_mask=mask, position_ids=positions, use_cache=False
        )
        logits: torch.Tensor = output.logits
        return logits
