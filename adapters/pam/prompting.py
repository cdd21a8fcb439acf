"""The token sequence: Qwen2's chat template around the region's vectors and the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from adapters.interface import CheckpointError, Task
from adapters.pam.modeling import VISUAL_TOKENS
from adapters.standin_tokenizer import standin_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SYSTEM_MESSAGE = "You are a helpful assistant."
PLACEHOLDER = "<image>"
# PAM is trained to answer at three lengths. A phrase is the shortest that is more than a name: the
# brief caption.
QUESTIONS: Mapping[Task, str] = {
    Task.CATEGORY: "Classify this subject and provide its label.",
    Task.PHRASE: "Provide a concise caption for this subject.",
    Task.DESCRIPTION: "Provide a comprehensive and detailed description for this subject.",
}
_START, _END = "<|im_start|>", "<|im_end|>"
# Qwen2.5's, of which the vocabulary has 22 in all.
_ADDED = ("<|endoftext|>", _START, _END)


class Prompt(NamedTuple):
    """A prompt's ids before and after the region's vectors."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def length(self) -> int:
        """Positions, the region's vectors included."""
        return len(self.before) + VISUAL_TOKENS + len(self.after)


class Prompter:
    """Builds prompts and reads answers."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        missing = [name for name in (_START, _END) if name not in tokenizer.get_vocab()]
        if missing:
            raise CheckpointError(
                f"the checkpoint's tokenizer lacks {', '.join(missing)}; "
                "a PAM tokenizer is that of Qwen2.5-Instruct"
            )
        self.tokenizer = tokenizer

    @classmethod
    def standing_in(cls, vocab_size: int) -> Prompter:
        """A prompter for a model without a checkpoint; its prompts are about as long."""
        texts = [SYSTEM_MESSAGE, *QUESTIONS.values(), "system user assistant"]
        return cls(standin_tokenizer(texts, _ADDED, vocab_size, _END))

    @property
    def end_of_turn(self) -> int:
        """Id of the token that ends an answer."""
        return int(self.tokenizer.get_vocab()[_END])

    def prompt(self, question: str) -> Prompt:
        """The prompt of one question; the region's vectors come before it, on a line of their own.

        Both parts are tokenised apart, and nothing is put before them.
        """
        before = f"{_START}system\n{SYSTEM_MESSAGE}{_END}\n{_START}user\n"
        after = f"\n{question}{_END}\n{_START}assistant\n"
        return Prompt(self._encode(before), self._encode(after))

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of generated ids: special tokens dropped, stripped."""
        text: str = self.tokenizer.decode(list(token_ids), skip_special_tokens=True)
        return text.strip()
