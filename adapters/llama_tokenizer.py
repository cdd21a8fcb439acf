"""Llama's tokenizers, in the two readings that models were trained with.

Both cut text into the pieces of one SentencePiece vocabulary with byte fallback, blanks written
as ``▁``. They differ in where a blank is put before the text, and so in the ids around added
tokens: the fast reading (transformers 4.31) puts one before *every* stretch of text between added
tokens, the slow one (``legacy: false``) only before the whole text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers.pre_tokenizers import Split
from tokenizers.trainers import BpeTrainer

from adapters.interface import CheckpointError, CheckpointMissing

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
BLANK = "▁"
_MODEL_FILE, _JSON_FILE = "tokenizer.model", "tokenizer.json"
# How a stand-in cuts text: words with the blank before them, single digits, newlines, marks.
_WORDS = rf"{BLANK}?\p{{L}}+|\p{{N}}|\n|{BLANK}?[^\s\p{{L}}\p{{N}}{BLANK}]|{BLANK}"


class LlamaTokenizer(Protocol):
    """Text to ids and back."""

    @property
    def vocab_size(self) -> int:
        """Ids of the vocabulary itself; added tokens lie beyond."""
        ...

    @property
    def bos_id(self) -> int:
        """Id of ``<s>``, which begins every prompt and is never put there by :meth:`encode`."""
        ...

    @property
    def eos_id(self) -> int:
        """Id of ``</s>``, which ends an answer."""
        ...

    @property
    def added(self) -> Mapping[str, int]:
        """Ids of the added tokens."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, neither ``<s>`` nor ``</s>`` put around them."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """Text of ``token_ids``, special and added tokens left out."""
        ...


class FastLlamaTokenizer:
    """The reading of transformers 4.31's fast tokenizer.

    Added tokens are cut out first; every stretch of text that remains gets its own blank in
    front, so that ``?`` right after an added token is the piece ``▁?``.
    """

    def __init__(self, tokenizer: Tokenizer, added: Sequence[str]) -> None:
        """Take a byte-fallback BPE; normaliser and decoder are set here, whatever it had."""
        self._tokenizer = tokenizer
        # A file may store how it was last used; prompts are never cut or filled up.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.vocab_size: int = tokenizer.get_vocab_size(with_added_tokens=False)
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend(BLANK), normalizers.Replace(" ", BLANK)]
        )
        tokenizer.pre_tokenizer = None
        tokenizer.decoder = decoders.Sequence(
            [
                decoders.Replace(BLANK, " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
        tokenizer.add_special_tokens(
            [AddedToken(t, special=True, normalized=False) for t in (UNKNOWN, BEGIN, END, *added)]
        )
        ids = tokenizer.get_vocab(with_added_tokens=True)
        self.added = {token: ids[token] for token in added}
        self.bos_id, self.eos_id = ids[BEGIN], ids[END]

    def encode(self, text: str) -> list[int]:
        """See :meth:`LlamaTokenizer.encode`."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """See :meth:`LlamaTokenizer.decode`; a run of bytes that is not UTF-8 becomes ``�``."""
        return self._tokenizer.decode(list(token_ids), skip_special_tokens=True)


class SlowLlamaTokenizer:
    """The reading of transformers' slow tokenizer with ``legacy: false``.

    A blank is put before the whole text; special tokens are cut out then, and what lies between
    them is encoded as it is.
    """

    added: Mapping[str, int] = {}

    def __init__(self, model: ModelProto) -> None:
        model.normalizer_spec.add_dummy_prefix = False  # put there by encode, once
        self._processor = SentencePieceProcessor(model_proto=model.SerializeToString())
        self._special = {
            piece: self._processor.piece_to_id(piece) for piece in (UNKNOWN, BEGIN, END)
        }
        self._special_ids = frozenset(self._special.values())
        self._blank: int = self._processor.piece_to_id(BLANK)
        self._cut = re.compile("(" + "|".join(map(re.escape, self._special)) + ")")
        self.vocab_size: int = self._processor.get_piece_size()
        self.bos_id = self._special[BEGIN]
        self.eos_id = self._special[END]

    def encode(self, text: str) -> list[int]:
        """See :meth:`LlamaTokenizer.encode`."""
        if not text:
            return []
        ids: list[int] = []
        for stretch in self._cut.split(BLANK + text):
            special = self._special.get(stretch)
            ids += self._processor.encode(stretch) if special is None else [special]
        # The blank is dropped again when a special token is what begins the text.
        nothing_between = ids[0] == self._blank and ids[1:2] and ids[1] in self._special_ids
        return ids[1:] if nothing_between else ids

    def decode(self, token_ids: Sequence[int]) -> str:
        """See :meth:`LlamaTokenizer.decode`; bytes that are not UTF-8 become ``�``, one by one."""
        kept = [token for token in token_ids if token not in self._special_ids]
        text: str = self._processor.decode(kept)
        begins = kept and self._processor.id_to_piece(kept[0]).startswith(BLANK)
        return text.removeprefix(" ") if begins else text


def load_fast_tokenizer(folder: Path, added: Sequence[str] = ()) -> FastLlamaTokenizer:
    """The fast reading of a checkpoint's tokenizer.

    Args:
        folder: holds ``tokenizer.json``, or ``tokenizer.model`` to be converted.
        added: tokens to add at the vocabulary's end.

    Raises:
        CheckpointError: there is neither file, or it is not a Llama tokenizer.
    """
    path = folder / _JSON_FILE
    if path.is_file():
        tokenizer = _read_json(path)
    else:
        tokenizer = _convert(_read_model(folder, f"{_JSON_FILE} or {_MODEL_FILE}"))
    return FastLlamaTokenizer(tokenizer, added)


def load_slow_tokenizer(folder: Path) -> SlowLlamaTokenizer:
    """The slow reading of a checkpoint's ``tokenizer.model``.

    Raises:
        CheckpointError: there is no such file, or it is not a Llama tokenizer.
    """
    return SlowLlamaTokenizer(_read_model(folder, _MODEL_FILE))


def _read_json(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the tokenizers library raises bare exceptions on damaged files
        raise CheckpointError(f"{path.parent.name}: {path.name} is damaged: {error}") from error
    vocabulary = tokenizer.get_vocab()
    known = all(token in vocabulary for token in (UNKNOWN, BEGIN, END))
    if not (isinstance(tokenizer.model, models.BPE) and tokenizer.model.byte_fallback and known):
        raise _not_llama(path)
    return tokenizer


def _read_model(folder: Path, wanted: str) -> ModelProto:
    path = folder / _MODEL_FILE
    if not path.is_file():
        raise CheckpointMissing(f"{folder.name}: no tokenizer in the checkpoint; expected {wanted}")
    try:
        model = ModelProto.FromString(path.read_bytes())
    except Exception as error:  # protobuf's own exception, private to its implementation
        raise CheckpointError(f"{folder.name}: {path.name} is damaged: {error}") from error
    pieces = {piece.piece for piece in model.pieces}
    bpe = model.trainer_spec.model_type == model.trainer_spec.BPE
    if not (bpe and model.trainer_spec.byte_fallback and {UNKNOWN, BEGIN, END} <= pieces):
        raise _not_llama(path)
    return model


def _not_llama(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path.parent.name}: {path.name} is not a Llama tokenizer, a byte-pair encoding with "
        f"byte fallback and {UNKNOWN}, {BEGIN}, {END}"
    )


def _convert(model: ModelProto) -> Tokenizer:
    """SentencePiece's scored pieces as the ordered merges that lead to the same pieces."""
    vocabulary = {piece.piece: index for index, piece in enumerate(model.pieces)}
    by_score = sorted(model.pieces, key=lambda piece: -piece.score)
    merges = [pair for piece in by_score for pair in _splits(piece.piece, vocabulary)]
    return _byte_fallback_bpe(vocabulary, merges)


def _splits(piece: str, vocabulary: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The pairs of pieces that make ``piece``, by the ids of their left parts."""
    pairs = [(piece[:i], piece[i:]) for i in range(1, len(piece))]
    known = [(left, right) for left, right in pairs if left in vocabulary and right in vocabulary]
    yield from sorted(known, key=lambda pair: vocabulary[pair[0]])


def standin_llama(text: str, added: Sequence[str] = ()) -> FastLlamaTokenizer:
    """A tokenizer for models without a checkpoint, whose random weights have no vocabulary.

    Args:
        text: every word and mark of it becomes one token, alone or with a blank before it, so
            that prompts have about their real length; other text falls back to bytes.
        added: tokens to add at the vocabulary's end.
    """
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = Split(Regex(_WORDS), behavior="isolated")
    trainer = BpeTrainer(
        vocab_size=4000,
        min_frequency=1,
        special_tokens=[UNKNOWN, BEGIN, END, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    words = re.findall(r"\w+|\S|\n", text)
    learner.train_from_iterator([*words, *(BLANK + word for word in words)], trainer)
    learned = json.loads(learner.to_str())["model"]
    merges = [(left, right) for left, right in learned["merges"]]
    return FastLlamaTokenizer(_byte_fallback_bpe(learned["vocab"], merges), added)


def _byte_fallback_bpe(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    return Tokenizer(
        models.BPE(
            vocab=vocabulary, merges=merges, unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True
        )
    )
