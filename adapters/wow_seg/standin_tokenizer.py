"""A tokenizer for models without a checkpoint.

Presets have random weights and no vocabulary. This tokenizer gives prompts of about the real
length, with InternVL's added tokens at the vocabulary's end.
"""

from __future__ import annotations

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from adapters.wow_seg.prompting import CATEGORY_PROMPT, SYSTEM_MESSAGE

# The published vocabularies end with the last nine of these, in this order.
_ADDED = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<img>", "</img>", "<IMG_CONTEXT>"),
    *("<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"),
)
# Newlines and punctuation apart, a word together with the blank before it, as Qwen2 splits.
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"


def standin_tokenizer(vocab_size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every word of the trained prompt is one token.

    Args:
        vocab_size: the preset's; ids between the learned words and the added tokens are unused
            and decode to nothing.
    """
    learned = json.loads(_learn().to_str())["model"]
    added = {name: vocab_size - len(_ADDED) + i for i, name in enumerate(_ADDED)}
    merges = [(left, right) for left, right in learned["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=learned["vocab"] | added, merges=merges))
    tokenizer.pre_tokenizer = _splitter()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in added])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


def _splitter() -> pre_tokenizers.PreTokenizer:
    split = pre_tokenizers.Split(Regex(_WORDS), behavior="isolated")
    return pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def _learn() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _splitter()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    prompt = CATEGORY_PROMPT.replace("<image>", "")
    tokenizer.train_from_iterator([prompt, SYSTEM_MESSAGE, "system user assistant , "], trainer)
    return tokenizer
