"""Scores printed in papers: data of this package, never measured here."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def load() -> pd.DataFrame:
    """The published region-recognition scores that ship with the package.

    Returns:
        Columns ``frames.PUBLISHED_COLUMNS``; ``value`` is in points (×100), as printed.
    """
    with (files("reports") / "data" / "region_recognition.csv").open(encoding="utf-8") as source:
        return pd.read_csv(source, dtype={"variant": str})
