"""Suites: datasets as regions, and the evaluation protocol of each."""

from suites.registry import entries, entry

__all__ = ["entries", "entry"]
