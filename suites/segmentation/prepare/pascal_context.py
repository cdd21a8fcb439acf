"""PASCAL Context's 459 classes: from MATLAB files to 16-bit maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.interface import JsonScalar
from suites.base import DataInvalid, DataMissing
from suites.registry import Prepared, Progress
from suites.segmentation.label_rules import IGNORE
from suites.segmentation.locate import find, root_of
from suites.segmentation.prepare.converting import convert_all, save_picture
from suites.segmentation.web_sets import (
    CONTEXT_HOME,
    CONTEXT_LABELS,
    CONTEXT_SPLIT,
    PASCAL_CONTEXT_459,
)

_VARIABLE = "LabelMap"


def prepare(
    *,
    progress: Progress,
    root: JsonScalar = None,
    vocabulary: JsonScalar = None,
    template: JsonScalar = None,
) -> Prepared:
    """Write the val maps as ``pascal_ctx_d2/annotations_ctx459/validation/*.tif``.

    A map holds label − 1, and 65535 where the label is 0. Pictures stay where they are.
    ``vocabulary`` and ``template`` have no part in it.

    Raises:
        DataMissing: there are no annotations or no list of val images, or one lacks.
        DataInvalid: an annotation cannot be read.
    """
    folder = root_of(PASCAL_CONTEXT_459.card.name, root)
    labels = find(folder, (".",), CONTEXT_LABELS).files
    split = find(folder, (".",), CONTEXT_SPLIT).files[0]
    mats = {path.stem: path for path in labels}
    output = folder / CONTEXT_HOME / "annotations_ctx459" / "validation"
    conversions = []
    for name in split.read_text(encoding="utf-8").split():
        if name not in mats:
            raise DataMissing(
                f"{split} lists {name}, but there is no {labels[0].parent / name}.mat; "
                f"{CONTEXT_LABELS.remedy}"
            )
        conversions.append(_Map(mats[name], output / f"{name}.tif"))
    return convert_all(conversions, output, "PASCAL Context maps", progress)


@dataclass(frozen=True, slots=True)
class _Map:
    mat: Path
    output: Path

    @property
    def outputs(self) -> tuple[Path, ...]:
        return (self.output,)

    def convert(self) -> None:
        labels = _read(self.mat)
        save_picture(np.where(labels == 0, IGNORE, labels - 1).astype(np.uint16), self.output)


def _read(path: Path) -> NDArray[np.int64]:
    from scipy.io.matlab import MatReadError, loadmat

    try:
        content: dict[str, Any] = loadmat(path, variable_names=[_VARIABLE])
    except (MatReadError, OSError, ValueError, NotImplementedError, TypeError) as error:
        raise DataInvalid(f"{path} is not a MATLAB file ({error}); fetch it anew") from error
    labels = content.get(_VARIABLE)
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype != np.uint16:
        found = "nothing" if labels is None else f"{labels.dtype} {labels.shape}"
        raise DataInvalid(
            f"{path} holds {found} as {_VARIABLE!r}; a 16-bit map was expected: it is not an "
            "annotation of the 459 classes"
        )
    classes = len(PASCAL_CONTEXT_459.rule.labels)
    if labels.max() > classes:
        raise DataInvalid(f"{path} holds label {labels.max()}; there are {classes}")
    return labels.astype(np.int64)
