"""Data as scripts: what a page that may not fetch can still load, also from ``file://``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

CALL = "regionbenchData"
"""The page's function that every data script calls once."""

Kind = Literal["i2", "u1", "u2", "u4"]
MISSING_INDEX = 2**16 - 1


def script(content: Mapping[str, object]) -> bytes:
    """``regionbenchData({…});`` in ASCII: no text in it can end the script or a line of it."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"{CALL}({text.replace('<', chr(92) + 'u003c')});\n".encode("ascii")


def column(values: ArrayLike, kind: Kind) -> dict[str, str]:
    """Whole numbers as base64 of little-endian ``kind``: a third of their size as JSON."""
    packed = np.asarray(values).astype(f"<{kind}").tobytes()
    return {"kind": kind, "data": base64.b64encode(packed).decode("ascii")}
