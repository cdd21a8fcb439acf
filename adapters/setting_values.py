"""Settings as they come from ``bench.yaml`` or a call, checked value by value.

Every function raises :class:`~adapters.interface.SettingError` naming the adapter and setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from adapters.interface import JsonScalar, SettingError, Task, UnsupportedTask, suggestion

Settings = Mapping[str, JsonScalar]
Choice = TypeVar("Choice", bound=StrEnum)
Config = TypeVar("Config")


def choice(adapter: str, given: Settings, name: str, default: Choice) -> Choice:
    """One of the values of ``default``'s enumeration."""
    value = given.get(name, default.value)
    known = {choice.value: choice for choice in type(default)}
    if value not in known:
        raise SettingError(
            f"{adapter}: {name} is {value!r}{suggestion(str(value), known)} "
            f"(expected one of {', '.join(known)})"
        )
    return known[str(value)]


def text(adapter: str, given: Settings, name: str, default: str) -> str:
    """Text."""
    value = given.get(name, default)
    if not isinstance(value, str):
        raise SettingError(f"{adapter}: {name} is {value!r}, expected text")
    return value


def positive(
    adapter: str, given: Settings, name: str, default: float, below: float = 1000
) -> float:
    """A number above 0 and under ``below``."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < below:
        raise SettingError(f"{adapter}: {name} is {value!r}, expected a number above 0")
    return float(value)


def count(adapter: str, given: Settings, name: str, default: int, most: int = 100) -> int:
    """A whole number from 1 to ``most``."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise SettingError(
            f"{adapter}: {name} is {value!r}, expected a whole number from 1 to {most}"
        )
    return value


def chosen_preset(adapter: str, presets: Mapping[str, Config], name: str) -> Config:
    """The sizes called ``name``."""
    if name not in presets:
        raise SettingError(
            f"{adapter} has no preset {name!r}{suggestion(name, presets)} "
            f"(presets: {', '.join(presets)})"
        )
    return presets[name]


def prompts(
    adapter: str,
    given: Settings,
    trained: Mapping[Task, str],
    placeholder: str = "",
    times: int = 0,
) -> dict[Task, str]:
    """Prompts by task: the trained ones, replaced by the settings ``<task>_prompt``.

    Args:
        adapter: its name.
        given: all settings.
        trained: the model's own prompts.
        placeholder: what stands for a picture or region in a prompt, if anything does.
        times: how often a prompt must hold it.
    """
    found = dict(trained)
    for task in Task:
        name = prompt_setting(task)
        if name not in given:
            continue
        prompt = found[task] = text(adapter, given, name, "")
        if not prompt.strip():
            raise SettingError(f"{adapter}: {name} is empty; give the text of the question")
        if placeholder and prompt.count(placeholder) != times:
            often = {1: "once", 2: "twice"}[times]
            raise SettingError(
                f"{adapter}: {name} must hold {placeholder} exactly {often}; "
                f"it holds it {prompt.count(placeholder)} times"
            )
    return found


def prompt_setting(task: Task) -> str:
    """The setting that gives the prompt of ``task``."""
    return f"{task.value}_prompt"


def prompt_for(adapter: str, known: Mapping[Task, str], task: Task) -> str:
    """The prompt for ``task``.

    Raises:
        UnsupportedTask: the model was not trained for it and no prompt was given.
    """
    if task not in known:
        raise UnsupportedTask(
            f"{adapter} has no trained prompt for {task.value!r}; give one as the setting "
            f"{prompt_setting(task)}"
        )
    return known[task]
