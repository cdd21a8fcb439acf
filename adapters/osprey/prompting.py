"""Token sequences: the conversation around a question about one or several regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adapters.interface import CheckpointError
from adapters.llama_tokenizer import LlamaTokenizer

SYSTEM_MESSAGE = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)
IMAGE = "<image>"
MASK, POSITION = "<mask>", "<pos>"
REGION = MASK + POSITION
_OVERVIEW = "This provides an overview of the picture.\n"
# The questions of the authors' scripts for LVIS and PACO, for segmentation, and of their demo. The
# line with nothing but a full stop is what the segmentation script's templating leaves behind.
CATEGORY_PROMPT = (
    f"{IMAGE}\n{_OVERVIEW}What is the category of {REGION}? Using only one word or phrase."
)
PHRASE_PROMPT = f"{IMAGE}\n.\n{_OVERVIEW}What is in {REGION}? Using a short phrase."
DESCRIPTION_PROMPT = f"{IMAGE}\n\n{_OVERVIEW}Can you give me a detailed description of {REGION}?"
IMAGE_ID = -200  # what stands for the picture in the authors' sequences


class Prompt(NamedTuple):
    """A prompt's text ids, cut where embeddings go in.

    ``before_image`` begins with ``<s>``; ``after_image`` is cut at the regions: one stretch more
    than there are regions.
    """

    before_image: tuple[int, ...]
    after_image: tuple[tuple[int, ...], ...]

    def length(self, image_tokens: int) -> int:
        """Positions of the whole prompt."""
        regions = len(self.after_image) - 1
        text = len(self.before_image) + sum(map(len, self.after_image))
        return text + image_tokens + 2 * regions


class Prompter:
    """Builds token sequences in the ``osprey_v1`` conversation."""

    def __init__(self, tokenizer: LlamaTokenizer, vocab_size: int) -> None:
        """Take a tokenizer with ``<mask>`` and ``<pos>``; the model embeds ``vocab_size`` ids."""
        self.tokenizer = tokenizer
        self._vocab_size = vocab_size

    def input_ids(self, template: str) -> list[int]:
        """The authors' sequence, :data:`IMAGE_ID` where the picture goes.

        Args:
            template: the question, with one ``<image>`` and then any number of ``<mask><pos>``.
        """
        before, after = f"{SYSTEM_MESSAGE} USER: {template} ASSISTANT:".split(IMAGE)
        encode = self.tokenizer.encode
        return [self.tokenizer.bos_id, *encode(before), IMAGE_ID, *encode(after)]

    def prompt(self, template: str) -> Prompt:
        """The sequence for ``template``, cut where embeddings go in.

        Raises:
            CheckpointError: the tokenizer gives ids that the model does not embed.
        """
        ids = self.input_ids(template)
        image = ids.index(IMAGE_ID)
        stretches: list[list[int]] = [[]]
        position = image + 1
        while position < len(ids):
            if ids[position] == self.tokenizer.added[MASK]:
                stretches.append([])
                position += 2  # <pos> follows
            else:
                stretches[-1].append(ids[position])
                position += 1
        prompt = Prompt(tuple(ids[:image]), tuple(map(tuple, stretches)))
        largest = max(max(stretch, default=0) for stretch in (ids[:image], *stretches))
        if largest >= self._vocab_size:
            raise CheckpointError(
                f"the tokenizer gives id {largest}, but the model embeds {self._vocab_size} ids; "
                "the checkpoint's tokenizer files belong to another model"
            )
        return prompt

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of generated ids: special tokens dropped, stripped, without a last ``</s>``."""
        return self.tokenizer.decode(token_ids).strip().removesuffix("</s>").strip()
