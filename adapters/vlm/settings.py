"""The adapter's settings, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.interface import JsonScalar, SettingError, Task
from adapters.setting_values import choice, positive, prompts

ADAPTER = "vlm"


class RegionPrompt(StrEnum):
    """How a model that takes whole pictures is shown one region of them.

    ``crop``: the box around the mask, cut out. ``outline``: the whole picture, with the mask's
    outline drawn on it.
    """

    CROP = "crop"
    OUTLINE = "outline"


# Nobody trained a model of this kind for regions: these are an evaluator's questions.
DEFAULT_PROMPTS: Mapping[RegionPrompt, Mapping[Task, str]] = {
    RegionPrompt.CROP: {
        Task.CATEGORY: (
            "What is shown in this picture? Answer with a single word or a short phrase only."
        ),
        Task.PHRASE: "Describe what is shown in this picture in one short phrase.",
        Task.DESCRIPTION: "Describe what is shown in this picture in detail.",
    },
    RegionPrompt.OUTLINE: {
        Task.CATEGORY: (
            "What is outlined in red in this picture? "
            "Answer with a single word or a short phrase only."
        ),
        Task.PHRASE: "Describe what is outlined in red in this picture in one short phrase.",
        Task.DESCRIPTION: "Describe what is outlined in red in this picture in detail.",
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes the outputs besides the checkpoint."""

    region_prompt: RegionPrompt
    crop_scale: float
    prompts: Mapping[Task, str]

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used.
        """
        region_prompt = choice(ADAPTER, given, "region_prompt", RegionPrompt.CROP)
        if "crop_scale" in given and region_prompt is not RegionPrompt.CROP:
            raise SettingError(
                f"vlm: crop_scale is only used with region_prompt=crop, not {region_prompt.value}"
            )
        return cls(
            region_prompt=region_prompt,
            crop_scale=positive(ADAPTER, given, "crop_scale", 1.0),
            prompts=prompts(ADAPTER, given, DEFAULT_PROMPTS[region_prompt]),
        )

    def for_card(self) -> dict[str, JsonScalar]:
        """The settings in use, for the adapter's card."""
        shown: dict[str, JsonScalar] = {"region_prompt": self.region_prompt.value}
        if self.region_prompt is RegionPrompt.CROP:
            shown["crop_scale"] = self.crop_scale
        return shown
