"""Cityscapes in panoptic form: calls the official converter of cityscapesScripts."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path

from adapters.interface import JsonScalar
from suites.base import DataInvalid, SuiteOptionError
from suites.registry import Prepared, Progress
from suites.segmentation.cityscapes_sets import CITYSCAPES_PANOPTIC
from suites.segmentation.locate import find, look_for, root_of

_STEP = "Cityscapes panoptic maps"
_NAME = "cityscapes_panoptic_val"
_PERCENT = re.compile(r"Progress:\s*([\d.]+) %")


def prepare(
    *,
    progress: Progress,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> Prepared:
    """Write ``gtFine/cityscapes_panoptic_val/*.png`` and ``gtFine/cityscapes_panoptic_val.json``.

    The converter cannot go on where it stopped; it works aside, so that nothing half-made is
    left. ``vocabulary`` and ``template`` have no part in it.

    Raises:
        DataMissing: there are no instance maps.
        DataInvalid: the converter refuses the files.
        SuiteOptionError: cityscapesScripts is not installed.
    """
    suite = CITYSCAPES_PANOPTIC
    folder = root_of(suite.card.name, root)
    home, maps = find(folder, suite.homes, suite.published[0])
    annotations = home / "gtFine"
    if look_for(home, (".",), suite.annotations) is not None:
        return Prepared(annotations / _NAME, made=0, kept=len(maps))
    aside = annotations / f".{_NAME}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        _convert(annotations, aside, _Report(progress, len(maps)))
        shutil.rmtree(annotations / _NAME, ignore_errors=True)
        (aside / _NAME).rename(annotations / _NAME)
        (aside / f"{_NAME}.json").rename(annotations / f"{_NAME}.json")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Prepared(annotations / _NAME, made=len(maps), kept=0)


def _convert(annotations: Path, output: Path, report: io.TextIOBase) -> None:
    try:
        from cityscapesscripts.preparation.createPanopticImgs import convert2panoptic
    except ImportError as error:
        raise SuiteOptionError(
            "preparing Cityscapes needs cityscapesScripts: pip install 'regionbench[cityscapes]'"
        ) from error
    try:
        with contextlib.redirect_stdout(report):
            convert2panoptic(str(annotations), str(output), setNames=["val"])
    except (SystemExit, OSError, KeyError, ValueError) as error:
        raise DataInvalid(
            f"cityscapesScripts cannot convert {annotations} ({error!r}); fetch gtFine anew"
        ) from error


class _Report(io.TextIOBase):
    """Takes what the converter prints, and passes its percentages on."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total

    def write(self, text: str) -> int:
        match = _PERCENT.search(text)
        if match:
            self._progress(_STEP, round(float(match[1]) / 100 * self._total), self._total)
        return len(text)
