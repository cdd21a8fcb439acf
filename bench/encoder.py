"""The sentence encoder the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bench.config import Config
from suites.base import TextEncoder

if TYPE_CHECKING:
    from metrics.encoder_files import EncoderFiles


class ScoringEncoder(TextEncoder, Protocol):
    """A sentence encoder that says what it is and where its files came from."""

    @property
    def name(self) -> str:
        """Hub id, or the folder's name."""
        ...

    @property
    def revision(self) -> str | None:
        """Commit of the Hub id."""
        ...

    @property
    def source(self) -> str:
        """Hub, folder, or the package that served the files."""
        ...


def load_encoder(config: Config) -> ScoringEncoder:
    """Open the sentence encoder the configuration names.

    Raises:
        EncoderError: it cannot be had as asked for.
    """
    from metrics.encoder import SentenceEncoder

    model, revision = _encoder_named(config)
    return SentenceEncoder.load(model, revision=revision)


def find_encoder_files(config: Config) -> EncoderFiles:
    """Locate the sentence encoder without loading it.

    Raises:
        EncoderError: it cannot be had as asked for.
    """
    from metrics.encoder_files import find_encoder

    return find_encoder(*_encoder_named(config))


def _encoder_named(config: Config) -> tuple[str, str | None]:
    from metrics.encoder_files import DEFAULT_MODEL

    spec = config.contents.encoder
    return config.located(spec.model) or DEFAULT_MODEL, spec.revision
