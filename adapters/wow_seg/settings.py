"""The adapter's settings, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.interface import JsonScalar, SettingError, Task
from adapters.setting_values import choice, count, positive, prompt_for, prompts, text
from adapters.wow_seg.attention import Cascade
from adapters.wow_seg.configuration import DEFAULT_MAX_TILES
from adapters.wow_seg.preprocessing import RegionTokens
from adapters.wow_seg.prompting import CATEGORY_PROMPT, PLACEHOLDER

ADAPTER = "wow-seg"
TRAINED_PROMPTS = {Task.CATEGORY: CATEGORY_PROMPT}


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
    prompts: Mapping[Task, str] = field(default_factory=lambda: TRAINED_PROMPTS)

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used.
        """
        mode = choice(ADAPTER, given, "multi_instance", MultiInstance.SHARED_PREFIX)
        for name in ("cascade", "separator"):
            if name in given and mode is not MultiInstance.CASCADE:
                raise SettingError(
                    f"wow-seg: {name} is only used with multi_instance=cascade, not {mode.value}"
                )
        return cls(
            multi_instance=mode,
            cascade=choice(ADAPTER, given, "cascade", Cascade.REGION_OUTPUT),
            separator=text(ADAPTER, given, "separator", ","),
            scale=positive(ADAPTER, given, "scale", 2.0),
            max_tiles=count(ADAPTER, given, "max_tiles", DEFAULT_MAX_TILES),
            region_tokens=choice(ADAPTER, given, "region_tokens", RegionTokens.MASK2TOKEN),
            prompts=prompts(ADAPTER, given, TRAINED_PROMPTS, PLACEHOLDER, 2),
        )

    def template(self, task: Task) -> str:
        """The prompt for ``task``.

        Raises:
            UnsupportedTask: the model was not trained for it and no prompt was given.
        """
        return prompt_for(ADAPTER, self.prompts, task)

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
