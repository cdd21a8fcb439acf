"""The sentence encoder of the semantic metrics: found, checked, and identified.

The protocols' encoder is all-MiniLM-L6-v2 (mean pooling, unit norm, 256 word pieces). An
encoder is asked for as a Hugging Face Hub id with a revision, or as a folder. Where the Hub
cannot be reached, the default encoder alone may come from an installed package that holds the
same files; their digests are checked first. No other encoder is ever put in an encoder's place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metrics.encoder_files import DEFAULT_MODEL, EncoderFiles, find_encoder
from metrics.errors import EncoderError
from metrics.text import encodable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """A sentence-transformers model that embeds texts deterministically.

    ``files`` says what the weights are and where they came from; it belongs in every manifest.
    Use :meth:`load`.
    """

    files: EncoderFiles
    device: str
    _model: Any = field(repr=False)

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        revision: str | None = None,
        device: str = "cpu",
    ) -> SentenceEncoder:
        """Open an encoder in float32.

        Args:
            model: Hub id, or folder of a sentence-transformers model with safetensors weights.
            revision: commit, tag or branch of the Hub id; ``None`` is the default encoder's
                pinned commit, or another's main branch. A folder has no revision.
            device: torch device name.

        Raises:
            EncoderError: the model cannot be had as asked for, is not a sentence-transformers
                model, has no safetensors weights, or the device is not there.
        """
        files = find_encoder(str(model), revision)
        return cls(files, device, _open(files, device))

    @property
    def name(self) -> str:
        """Hub id, or the folder's name."""
        return self.files.name

    @property
    def revision(self) -> str | None:
        """Commit of the Hub id; ``None`` for a folder."""
        return self.files.revision

    @property
    def source(self) -> str:
        """``hub``, ``folder``, or the installed package that served the files."""
        return self.files.source

    @property
    def digest(self) -> str:
        """SHA-256 over weights, vocabulary and settings; the same wherever they came from."""
        return self.files.digest

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings: float32 ``[len(texts), dimensions]``, rows as given.

        Any string is accepted: lone surrogates count as U+FFFD, and what exceeds the model's
        word pieces is cut off. Texts of equally many word pieces share batches, so that nothing
        is padded. A text's embedding varies with the rest of ``texts`` by less than 1e-5; equal
        lists give equal arrays.
        """
        import numpy as np

        readable = [encodable(text) for text in texts] or [""]
        lengths = np.array(self._word_pieces(readable))
        groups = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
        parts = [self._encode_batches([readable[row] for row in rows]) for rows in groups]
        embeddings = np.empty((len(readable), parts[0].shape[1]), dtype=np.float32)
        for rows, part in zip(groups, parts, strict=True):
            embeddings[rows] = part
        return embeddings[: len(texts)]

    def _word_pieces(self, texts: list[str]) -> list[int]:
        """Length of each text as the model reads it; equal where the model pads nothing."""
        from transformers import PreTrainedTokenizerBase

        tokenizer = self._model.tokenizer
        if not isinstance(tokenizer, PreTrainedTokenizerBase):
            return [0] * len(texts)
        limit = self._model.max_seq_length
        encoded = tokenizer(texts, truncation=limit is not None, max_length=limit)
        return [len(ids) for ids in encoded["input_ids"]]

    def _encode_batches(self, texts: list[str]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = self._model.encode(
            texts,
            batch_size=BATCH_SIZE,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return embeddings


def _open(files: EncoderFiles, device: str) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            model = SentenceTransformer(
                str(files.folder),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
            )
    except Exception as error:  # the libraries below raise whatever their formats do
        raise EncoderError(
            f"encoder {files.name!r} from {files.folder} cannot be opened on {device!r}: {error}"
        ) from error
    return model.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back transformers' weight-loading progress bar, which would land in reports."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
