"""The adapter's settings, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from adapters.interface import JsonScalar, SettingError, Task, UnsupportedTask, suggestion
from adapters.wow_seg.attention import Cascade
from adapters.wow_seg.configuration import DEFAULT_MAX_TILES
from adapters.wow_seg.preprocessing import RegionTokens
from adapters.wow_seg.prompting import CATEGORY_PROMPT, PLACEHOLDER

_Choice = TypeVar("_Choice", bound=StrEnum)


class MultiInstance(StrEnum):
    """How the N regions of a picture are decoded.

    ``single``: one at a time, everything encoded anew, as the authors' evaluation does.
    ``shared-prefix``: the picture and the prompt's beginning once, then all regions together;
    the same answers as ``single``. ``cascade``: all regions and answers in one sequence under
    the Cascade Attention Mask, as in training.
    """

    SINGLE = "single"
    SHARED_PREFIX = "shared-prefix"
    CASCADE = "cascade"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes the outputs besides the checkpoint."""

    multi_instance: MultiInstance = MultiInstance.SHARED_PREFIX
    cascade: Cascade = Cascade.REGION_OUTPUT
    separator: str = ","
    scale: float = 2.0
    max_tiles: int = DEFAULT_MAX_TILES
    region_tokens: RegionTokens = RegionTokens.MASK2TOKEN
    prompts: Mapping[Task, str] = field(default_factory=lambda: {Task.CATEGORY: CATEGORY_PROMPT})

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used.
        """
        mode = _choice(given, "multi_instance", MultiInstance.SHARED_PREFIX)
        for name in ("cascade", "separator"):
            if name in given and mode is not MultiInstance.CASCADE:
                raise SettingError(
                    f"wow-seg: {name} is only used with multi_instance=cascade, not {mode.value}"
                )
        return cls(
            multi_instance=mode,
            cascade=_choice(given, "cascade", Cascade.REGION_OUTPUT),
            separator=_text(given, "separator", ","),
            scale=_positive(given, "scale", 2.0),
            max_tiles=_count(given, "max_tiles", DEFAULT_MAX_TILES),
            region_tokens=_choice(given, "region_tokens", RegionTokens.MASK2TOKEN),
            prompts=_prompts(given),
        )

    def template(self, task: Task) -> str:
        """The prompt for ``task``.

        Raises:
            UnsupportedTask: the model was not trained for it and no prompt was given.
        """
        if task not in self.prompts:
            raise UnsupportedTask(
                f"WOW-Seg has no trained prompt for {task.value!r}; give one as the setting "
                f"{task.value}_prompt, with {PLACEHOLDER} for the image and for the region"
            )
        return self.prompts[task]

    def for_card(self) -> dict[str, JsonScalar]:
        """The settings in use, for the adapter's card."""
        shown: dict[str, JsonScalar] = {
            "multi_instance": self.multi_instance.value,
            "scale": self.scale,
            "max_tiles": self.max_tiles,
            "region_tokens": self.region_tokens.value,
        }
        if self.multi_instance is MultiInstance.CASCADE:
            shown |= {"cascade": self.cascade.value, "separator": self.separator}
        return shown


def _choice(given: Mapping[str, JsonScalar], name: str, default: _Choice) -> _Choice:
    value = given.get(name, default.value)
    known = {choice.value: choice for choice in type(default)}
    if value not in known:
        raise SettingError(
            f"wow-seg: {name} is {value!r}{suggestion(str(value), known)} "
            f"(expected one of {', '.join(known)})"
        )
    return known[str(value)]


def _text(given: Mapping[str, JsonScalar], name: str, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise SettingError(f"wow-seg: {name} is {value!r}, expected text")
    return value


def _positive(given: Mapping[str, JsonScalar], name: str, default: float) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1000:
        raise SettingError(f"wow-seg: {name} is {value!r}, expected a number above 0")
    return float(value)


def _count(given: Mapping[str, JsonScalar], name: str, default: int) -> int:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise SettingError(f"wow-seg: {name} is {value!r}, expected a whole number from 1 to 100")
    return value


def _prompts(given: Mapping[str, JsonScalar]) -> dict[Task, str]:
    prompts = {Task.CATEGORY: CATEGORY_PROMPT}
    for task in Task:
        name = f"{task.value}_prompt"
        if name in given:
            prompt = prompts[task] = _text(given, name, "")
            if prompt.count(PLACEHOLDER) != 2:
                raise SettingError(
                    f"wow-seg: {name} must hold {PLACEHOLDER} exactly twice, for the whole image "
                    f"and then for the region; it holds it {prompt.count(PLACEHOLDER)} times"
                )
    return prompts
