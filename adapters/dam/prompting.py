"""Token sequences in the Vicuna 1.1 conversation that DAM was trained with."""

from __future__ import annotations

from typing import NamedTuple

from adapters.llama_tokenizer import LlamaTokenizer

PLACEHOLDER = "<image>"
SYSTEM_MESSAGE = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
DESCRIPTION_PROMPT = "<image>\nDescribe the masked region in detail."
# Of the model trained on pictures and videos together, when it is shown a picture.
JOINT_DESCRIPTION_PROMPT = (
    "Image: <image>\nGiven the image above, describe the object in the masked region."
)
_END = "</s>"


class Prompt(NamedTuple):
    """A prompt's token ids, cut where the pictures go: one piece more than there are pictures."""

    pieces: tuple[tuple[int, ...], ...]

    def length(self, image_tokens: int) -> int:
        """Positions, with ``image_tokens`` to each picture."""
        return sum(map(len, self.pieces)) + (len(self.pieces) - 1) * image_tokens


class Prompter:
    """Builds prompts and reads answers."""

    def __init__(self, tokenizer: LlamaTokenizer) -> None:
        self.tokenizer = tokenizer

    def prompt(self, template: str) -> Prompt:
        """The prompt of one question.

        Args:
            template: the user's message, with ``<image>`` for every picture.
        """
        text = f"{SYSTEM_MESSAGE} USER: {template} ASSISTANT:"
        # Every piece is a text of its own to the tokenizer, with a blank put before it.
        begin, *others = (tuple(self.tokenizer.encode(p)) for p in text.split(PLACEHOLDER))
        return Prompt(((self.tokenizer.bos_id, *begin), *others))

    def decode(self, token_ids: tuple[int, ...]) -> str:
        """The text of generated ids: special tokens dropped, stripped."""
        text = self.tokenizer.decode(token_ids).strip()
        return text.removesuffix(_END).strip()
