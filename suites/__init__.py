"""Suites: datasets as regions, and the evaluation protocol of each."""

from suites.registry import entry, names

__all__ = ["entry", "names"]
