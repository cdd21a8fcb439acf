"""Greedy answers of a transformers model to pictures that share one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from PIL import Image
from transformers import GenerationConfig, PreTrainedModel, RepetitionPenaltyLogitsProcessor

from adapters.decoding import Decoded
from adapters.interface import AdapterError, FinishReason, Generation
from adapters.regions import too_long

# What of a checkpoint's generation_config.json is kept: which tokens are special, not how to
# sample. Its repetition penalty is applied here, see `_penalty`.
_KEPT = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "suppress_tokens",
    "begin_suppress_tokens",
)


class Asked(NamedTuple):
    """One answer, and the positions of the prompt it follows, padding not counted."""

    decoded: Decoded
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model with its processor, ready to answer."""

    model: PreTrainedModel
    processor: Any
    repetition_penalty: float
    stop_ids: frozenset[int]

    @classmethod
    def of(cls, model: PreTrainedModel, processor: Any) -> Speaker:
        """Take over a model: from now on it decodes greedily.

        The penalty on repeated tokens stays what the checkpoint's generation_config.json says;
        temperature, top-k and the like are dropped.
        """
        given = model.generation_config
        kept = {name: getattr(given, name) for name in _KEPT}
        for name in ("eos_token_id", "pad_token_id"):
            if kept[name] is None:
                kept[name] = getattr(processor.tokenizer, name)
        model.generation_config = GenerationConfig(do_sample=False, num_beams=1, **kept)
        stop = kept["eos_token_id"]
        stop_ids = frozenset([stop] if isinstance(stop, int) else stop or ())
        return cls(model, processor, float(given.repetition_penalty or 1.0), stop_ids)

    @property
    def vocab_size(self) -> int:
        """Width of the logits."""
        return len(self.model.get_output_embeddings().weight)

    def ask(
        self, text: str, pictures: Sequence[Image.Image], generation: Generation
    ) -> list[Asked]:
        """Answer one prompt about each of several pictures, in one batch.

        Args:
            text: see :func:`~adapters.vlm.prompting.prompt_text`.
            pictures: RGB, of any sizes.
            generation: decoding limits.

        Raises:
            AdapterError: the longest prompt leaves no room for its answer, or the model does not
                continue its prompt.
        """
        forced = generation.forced_tokens
        limit = generation.max_new_tokens if forced is None else forced
        inputs = self._encode(text, pictures, limit)
        sequences = self._generate(inputs, max_new_tokens=limit, min_new_tokens=forced).sequences
        prompt = inputs["input_ids"]
        if not torch.equal(sequences[:, : prompt.shape[1]], prompt):
            raise AdapterError(
                f"{type(self.model).__name__} does not return its prompt before its answer; write "
                "a worker for it (docs/external_models.md)"
            )
        answers = sequences[:, prompt.shape[1] :].tolist()
        lengths = inputs["attention_mask"].sum(1).tolist()
        return [
            Asked(self._decoded(answer), length)
            for answer, length in zip(answers, lengths, strict=True)
        ]

    def first_logits(self, text: str, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Logits ``[pictures, vocabulary]`` that choose each answer's first token."""
        told = self._generate(self._encode(text, pictures, 1), max_new_tokens=1, output_scores=True)
        scores: torch.Tensor = told.scores[0]
        return scores

    def text(self, decoded: Decoded) -> str:
        """The words of an answer, special tokens dropped."""
        tokenizer = self.processor.tokenizer
        text: str = tokenizer.decode(list(decoded.token_ids), skip_special_tokens=True)
        return text.strip()

    def _encode(self, text: str, pictures: Sequence[Image.Image], new: int) -> Any:
        """Prompts padded on the left, so that every answer follows its prompt."""
        start = self.processor.tokenizer.bos_token
        inputs = self.processor(
            text=[text] * len(pictures),
            images=[[picture] for picture in pictures],
            padding=True,
            padding_side="left",
            return_tensors="pt",
            # A chat template may have written the first token already.
            **({"add_special_tokens": False} if start and text.startswith(start) else {}),
        )
        positions = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if positions is not None:
            longest = int(inputs["attention_mask"].sum(1).max())
            advice = "show the model a smaller picture or ask less"
            if refusal := too_long(longest, new, positions, advice):
                raise AdapterError(refusal.error)
        inputs.pop("labels", None)  # some processors make them for training
        return inputs.to(device=self.model.device, dtype=self.model.dtype)

    def _generate(self, inputs: Any, **limits: Any) -> Any:
        return self.model.generate(
            **inputs,
            **{name: value for name, value in limits.items() if value is not None},
            logits_processor=self._penalty(inputs["attention_mask"]),
            return_dict_in_generate=True,
        )

    def _penalty(self, attention_mask: torch.Tensor) -> list[Any]:
        """The penalty as transformers applies it, prompt included, but blind to padding.

        Counting padding would make an answer depend on the other prompts of its batch.
        """
        if self.repetition_penalty == 1.0:
            return []
        padding = (attention_mask == 0).sum(1)
        return [RepetitionPenaltyLogitsProcessor(self.repetition_penalty, padding)]

    def _decoded(self, answer: Sequence[int]) -> Decoded:
        for length, token in enumerate(answer):
            if token in self.stop_ids:
                return Decoded(tuple(answer[:length]), FinishReason.STOP)
        return Decoded(tuple(answer), FinishReason.LENGTH)
