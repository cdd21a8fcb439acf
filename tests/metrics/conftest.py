"""The real sentence encoder, opened once."""

from __future__ import annotations

import pytest

from metrics.encoder import SentenceEncoder


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """All-MiniLM-L6-v2, from wherever this machine has it."""
    return SentenceEncoder.load()
