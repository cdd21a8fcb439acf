"""Token sequences: the single-mask prompt, the multi-mask prompt, and the training sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from adapters.interface import CheckpointError
from adapters.standin_tokenizer import standin_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SYSTEM_MESSAGE = (
    "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、"
    "清华大学及多家合作单位联合开发的多模态大语言模型。"
)
CATEGORY_PROMPT = (
    "You are an expert in image region classification. I will provide you with a complete image "
    "and a part of this image. You need to classify the region part based on the full image. "
    "Complete image: <image>. Region image:<image>"
)
PLACEHOLDER = "<image>"
# The published vocabularies end with the last nine of these, in this order.
ADDED_TOKENS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<img>", "</img>", "<IMG_CONTEXT>"),
    *("<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"),
)
IGNORED_LABEL = -100


class Span(NamedTuple):
    """Positions ``start`` to ``end`` of a sequence, ``end`` excluded."""

    start: int
    end: int

    @property
    def slice(self) -> slice:
        """For indexing."""
        return slice(self.start, self.end)


class SpecialTokens(NamedTuple):
    """Ids of the tokens the model's arithmetic knows; they differ between vocabularies."""

    image_start: int
    image_end: int
    image_context: int
    end_of_turn: int
    newline: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> SpecialTokens:
        """Look the tokens up by name.

        Raises:
            CheckpointError: the tokenizer lacks one.
        """
        vocabulary = tokenizer.get_vocab()
        names = ("<img>", "</img>", "<IMG_CONTEXT>", "<|im_end|>", "Ċ")
        missing = [name for name in names if name not in vocabulary]
        if missing:
            raise CheckpointError(
                f"the checkpoint's tokenizer lacks {', '.join(missing)}; "
                "a WOW-Seg tokenizer has InternVL's added tokens"
            )
        return cls(*(vocabulary[name] for name in names))


class Prompt(NamedTuple):
    """A prompt's ids and its runs of image tokens, marks included: the picture's first."""

    input_ids: tuple[int, ...]
    runs: tuple[Span, ...]


class TrainingSequence(NamedTuple):
    """A prompt with its answer; ``labels`` ignore all but the answer and the end of turn."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    runs: tuple[Span, ...]


class Prompter:
    """Builds token sequences in the ``internvl2_5`` chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.tokens = SpecialTokens.of(tokenizer)

    @classmethod
    def standing_in(cls, vocab_size: int) -> Prompter:
        """For a model without a checkpoint: prompts of about the real length."""
        words = [
            CATEGORY_PROMPT.replace(PLACEHOLDER, ""),
            SYSTEM_MESSAGE,
            "system user assistant , ",
        ]
        return cls(standin_tokenizer(words, ADDED_TOKENS, vocab_size, "<|im_end|>"))

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, nothing added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def prompt(self, template: str, image_tokens: int, region_tokens: Sequence[int]) -> Prompt:
        """The prompt for one or several regions of a picture.

        Args:
            template: the user's message with two ``<image>``; for K regions the second is
                repeated K times with nothing between.
            image_tokens: tokens of all tiles and the thumbnail together.
            region_tokens: tokens of each region; 0 is an empty run.
        """
        before, between, after = template.split(PLACEHOLDER)
        ids = self.encode(
            f"<|im_start|>system\n{SYSTEM_MESSAGE}<|im_end|>\n<|im_start|>user\n{before}"
        )
        runs = [self._append_run(ids, image_tokens)]
        ids += self.encode(between)
        runs += [self._append_run(ids, count) for count in region_tokens]
        ids += self.encode(f"{after}<|im_end|>\n<|im_start|>assistant\n")
        return Prompt(tuple(ids), tuple(runs))

    def _append_run(self, ids: list[int], count: int) -> Span:
        start = len(ids)
        ids += [
            self.tokens.image_start,
            *[self.tokens.image_context] * count,
            self.tokens.image_end,
        ]
        return Span(start, len(ids))

    def training(
        self, template: str, image_tokens: int, region_tokens: Sequence[int], answer: str
    ) -> TrainingSequence:
        """The prompt followed by ``answer`` and the end of turn, with labels.

        For K regions the answer is the K names joined by the separator, such as ``", "``.
        """
        prompt = self.prompt(template, image_tokens, region_tokens)
        target = self.encode(f"{answer}<|im_end|>\n")
        labels = [IGNORED_LABEL] * len(prompt.input_ids) + target
        # The newline after the end of turn is never predicted.
        labels[-1] = IGNORED_LABEL
        return TrainingSequence((*prompt.input_ids, *target), tuple(labels), prompt.runs)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of generated ids: special tokens dropped, cut at the end of turn, stripped."""
        text: str = self.tokenizer.decode(list(token_ids), skip_special_tokens=True)
        return text.split("<|im_end|>")[0].strip()
