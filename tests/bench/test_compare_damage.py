"""`bench compare` on stored scores that are damaged, or none of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.bench.compared_runs import Captured, ab, answered, compared, edit, metric, only, stored
from tests.bench.kinds import Bench

__all__ = ["ab", "answered"]


def test_damaged_resamples_are_named(
    bench: Bench, ab: None, workplace: Path, capfd: Captured
) -> None:
    path = stored(workplace, "a").folder / "draws.npy"
    path.write_bytes(path.read_bytes()[:300])
    assert bench("compare", "a", "b") == 2
    shown = capfd.readouterr().err
    assert str(path) in shown
    assert "`bench score` writes it anew" in shown


def lacking(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.drop(columns=name)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("regions", lacking("category"), "has no column category"),
        ("regions", lacking("text"), "has no column text"),
        ("regions", lambda f: pd.concat([f, f[:1]]), "has two rows of one region"),
        ("regions", lambda f: f.assign(category=[None, *f["category"][1:]]), "has rows without"),
        ("regions", lambda f: f.assign(image_id=[None, *f["image_id"][1:]]), "has rows without"),
        ("categories", lacking("protocol"), "has no column protocol"),
        ("categories", lambda f: f.assign(metric=None), "has rows without metric"),
        ("categories", lambda f: f.assign(value="x"), "has values that are no numbers"),
    ],
)
def test_a_readable_frame_that_is_none_of_ours_is_named(
    bench: Bench,
    ab: None,
    workplace: Path,
    capfd: Captured,
    file: str,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    path = stored(workplace, "b").folder / f"{file}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    assert bench("compare", "a", "b") == 2
    assert f"{path} {message}" in capfd.readouterr().err


def test_a_column_that_holds_numbers_in_one_run_alone_is_no_score(
    bench: Bench, ab: None, workplace: Path, capsys: Captured
) -> None:
    folder = stored(workplace, "b").folder
    edit(folder / "scores.json", lambda values: values.pop("samples"))
    frame = pd.read_parquet(folder / "regions.parquet")
    frame = frame.assign(**{"exact_match/wowseg-v1": "x"})
    frame.to_parquet(folder / "regions.parquet", index=False)
    comparison = only(compared(bench, capsys, "a", "b"))
    assert metric(comparison, "exact_match")["basis"] == "scores"
    assert metric(comparison, "semantic_iou")["basis"] == "regions"
