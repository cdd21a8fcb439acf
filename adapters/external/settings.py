"""The adapter's settings; none of them changes an answer."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from adapters import setting_values as values
from adapters.interface import JsonScalar, SettingError

_ADAPTER = "external"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker is started and how long it is waited for, in seconds."""

    command: tuple[str, ...]
    timeout: float
    start_timeout: float
    restarts: int

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used, or there is no command.
        """
        return cls(
            command=_command(given),
            timeout=values.positive(_ADAPTER, given, "timeout_s", 120.0, below=_DAY),
            start_timeout=values.positive(_ADAPTER, given, "start_timeout_s", 600.0, below=_DAY),
            restarts=_restarts(given),
        )


def _command(given: Mapping[str, JsonScalar]) -> tuple[str, ...]:
    command = values.text(_ADAPTER, given, "command", "")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise SettingError(
            f"{_ADAPTER}: command {command!r} cannot be split into words: {error}"
        ) from error
    if not words:
        raise SettingError(
            f"{_ADAPTER}: no command; give the setting `command`, such as "
            '"/path/to/its/python my_worker.py"'
        )
    return words


def _restarts(given: Mapping[str, JsonScalar]) -> int:
    value = given.get("restarts", 3)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingError(f"{_ADAPTER}: restarts is {value!r}, expected a whole number from 0 up")
    return value
