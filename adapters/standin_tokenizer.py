"""Tokenizers for models without a checkpoint.

Presets have random weights and no vocabulary. A stand-in gives prompts of about the real length:
every word of the trained prompts is one token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

# Newlines and punctuation apart, a word together with the blank before it, as Qwen2 splits.
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"


def standin_tokenizer(
    prompts: Sequence[str], added: Sequence[str], vocab_size: int, eos: str
) -> PreTrainedTokenizerFast:
    """A byte-level BPE that knows the words of ``prompts``.

    Args:
        prompts: the texts the model is asked with.
        added: special tokens; they take the last ids of the vocabulary, in this order.
        vocab_size: the preset's; ids between the learned words and the added tokens are unused
            and decode to nothing.
        eos: which of ``added`` ends an answer.
    """
    learned = json.loads(_learn(prompts).to_str())["model"]
    ids = {name: vocab_size - len(added) + i for i, name in enumerate(added)}
    merges = [(left, right) for left, right in learned["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=learned["vocab"] | ids, merges=merges))
    tokenizer.pre_tokenizer = _splitter()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ids])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos)


def _splitter() -> pre_tokenizers.PreTokenizer:
    split = pre_tokenizers.Split(Regex(_WORDS), behavior="isolated")
    return pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


def _learn(prompts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _splitter()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        min_frequency=1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(prompts, trainer)
    return tokenizer
