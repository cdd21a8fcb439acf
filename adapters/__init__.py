"""Adapters: one region-recognition interface over vision-language models.

>>> import adapters
>>> recognizer = adapters.load("majority", answer="cat")  # doctest: +SKIP
"""

from adapters.registry import entry, load, names

__all__ = ["entry", "load", "names"]
