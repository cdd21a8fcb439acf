"""The adapter's settings, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.interface import JsonScalar, SettingError, Task
from adapters.osprey.prompting import (
    CATEGORY_PROMPT,
    DESCRIPTION_PROMPT,
    IMAGE,
    MASK,
    PHRASE_PROMPT,
    POSITION,
    REGION,
)
from adapters.setting_values import prompt_setting, prompts, text

ADAPTER = "osprey"
TRAINED_PROMPTS = {
    Task.CATEGORY: CATEGORY_PROMPT,
    Task.PHRASE: PHRASE_PROMPT,
    Task.DESCRIPTION: DESCRIPTION_PROMPT,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The prompt of every task, and where the file of CLIP weights is."""

    prompts: Mapping[Task, str] = field(default_factory=lambda: TRAINED_PROMPTS)
    vision_tower: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used.
        """
        found = dict(TRAINED_PROMPTS)
        for placeholder in (IMAGE, REGION, MASK, POSITION):
            found = prompts(ADAPTER, given, TRAINED_PROMPTS, placeholder, 1)
        for task, prompt in found.items():
            if prompt.index(IMAGE) > prompt.index(REGION):
                raise SettingError(
                    f"{ADAPTER}: {prompt_setting(task)} must hold {IMAGE} before {REGION}"
                )
        tower = text(ADAPTER, given, "vision_tower", "") if "vision_tower" in given else None
        return cls(found, tower)
