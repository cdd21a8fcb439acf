"""A small byte-level BPE in the layout of InternVL3's Qwen2 tokenizer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen2TokenizerFast

from adapters.wow_seg.prompting import CATEGORY_PROMPT, SYSTEM_MESSAGE

END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|im_end|>"
ADDED_TOKENS = (
    *(END_OF_TEXT, "<|im_start|>", END_OF_TURN),
    *("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>"),
    *("<box>", "</box>"),
)
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_symbols() -> list[str]:
    """The printable stand-ins of the 256 bytes in GPT-2's order: ``!`` is 0, newline 198."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def train_tokenizer(names: Sequence[str]) -> Qwen2TokenizerFast:
    """Learn merges until every word of the prompt and of the names is one token."""
    words = sorted({word for name in names for word in name.split()})
    corpus = [
        f"system\n{SYSTEM_MESSAGE}",
        f"user\n{CATEGORY_PROMPT}".replace("<image>", ""),
        "assistant\n",
        *(f"{word}\n {word}" for word in words),
    ]
    merges = _merges(corpus)
    symbols = byte_symbols() + ["".join(pair) for pair in merges]
    tokenizer = Qwen2TokenizerFast(
        vocab={symbol: i for i, symbol in enumerate(symbols)},
        merges=merges,
        unk_token=None,
        bos_token=None,
        eos_token=END_OF_TURN,
        pad_token=END_OF_TEXT,
    )
    tokenizer.add_tokens(list(ADDED_TOKENS), special_tokens=True)
    return tokenizer


def _merges(corpus: Sequence[str]) -> list[tuple[str, str]]:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=10_000, initial_alphabet=byte_symbols())
    )
    learned = json.loads(bpe.to_str())["model"]["merges"]
    return [(left, right) for left, right in learned]


def write_published_files(tokenizer: Qwen2TokenizerFast, folder: Path) -> None:
    """Write the tokenizer files of the published layout that the library no longer writes."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    special = {"eos_token": END_OF_TURN, "pad_token": END_OF_TEXT}
    for name, content in (
        ("vocab.json", model["vocab"]),
        ("added_tokens.json", tokenizer.get_added_vocab()),
        ("special_tokens_map.json", special),
    ):
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")
