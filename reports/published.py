"""Scores printed in papers: data of this package, never measured here."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd

_OUR_NAMES = {"mask_acc": "mask_accuracy"}
"""The papers' metrics that this project calls otherwise."""


def load() -> pd.DataFrame:
    """The published scores of this project's tasks that ship with the package.

    Returns:
        Columns ``frames.PUBLISHED_COLUMNS``; ``value`` is in points (×100), as printed.
    """
    return _read("region_recognition.csv").replace({"metric": _OUR_NAMES})


def methods() -> pd.DataFrame:
    """Which published rows are about which Hub checkpoint, with which settings.

    Returns:
        Columns ``checkpoint, method, params_b, variant, settings``.
    """
    return _read("published_methods.csv")


def sets() -> pd.DataFrame:
    """Which version of a suite here has the regions of a published set.

    Returns:
        Columns ``suite, set, suite_version``.
    """
    return _read("published_sets.csv")


def _read(name: str) -> pd.DataFrame:
    with (files("reports") / "data" / name).open(encoding="utf-8") as source:
        return pd.read_csv(source, dtype={"variant": str, "settings": str, "suite_version": str})
