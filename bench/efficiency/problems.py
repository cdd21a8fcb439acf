"""Why a point has no result."""

from __future__ import annotations

from typing import Literal, NamedTuple

from adapters.interface import (
    CheckpointError,
    DeviceError,
    SettingError,
    UnknownAdapter,
    UnsupportedTask,
)
from bench.efficiency.meter import is_out_of_memory

_FOR_GOOD = (CheckpointError, DeviceError, SettingError, UnknownAdapter, UnsupportedTask)


class NotPossible(Exception):
    """The model cannot be asked a question; the message is the model's reason."""


class AnswersBroke(Exception):
    """A query was not answered as it should have been, which may be otherwise next time."""


class Unmeasured(NamedTuple):
    """Why a point has no result."""

    outcome: Literal["out_of_memory", "failed", "not_possible"]
    reason: str


def problem_of(error: Exception) -> Unmeasured:
    """What an exception means for a point."""
    if is_out_of_memory(error):
        return Unmeasured("out_of_memory", _first_line(error))
    if isinstance(error, NotPossible):
        return Unmeasured("not_possible", str(error))
    if isinstance(error, _FOR_GOOD):
        return Unmeasured("not_possible", f"{type(error).__name__}: {error}")
    return Unmeasured("failed", f"{type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
