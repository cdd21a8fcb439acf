"""The adapter's settings, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.interface import JsonScalar, SettingError, Task
from adapters.pam.boxes import BoxRule
from adapters.pam.prompting import PLACEHOLDER, QUESTIONS
from adapters.setting_values import choice, prompt_setting, prompts, text

ADAPTER = "pam"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that changes the outputs besides the checkpoint.

    ``vision_tower`` is empty where the weights of SAM 2 are to be found by themselves.
    """

    box: BoxRule = BoxRule.MASK
    vision_tower: str = ""
    questions: Mapping[Task, str] = field(default_factory=lambda: QUESTIONS)

    @classmethod
    def read(cls, given: Mapping[str, JsonScalar]) -> Settings:
        """Check settings as they come from ``bench.yaml`` or a call.

        Raises:
            SettingError: a value cannot be used.
        """
        questions = prompts(ADAPTER, given, QUESTIONS)
        for task, question in questions.items():
            if PLACEHOLDER in question:
                raise SettingError(
                    f"{ADAPTER}: {prompt_setting(task)} must not hold {PLACEHOLDER}: the region is "
                    "put on a line of its own before the question"
                )
        return cls(
            box=choice(ADAPTER, given, "box", BoxRule.MASK),
            vision_tower=text(ADAPTER, given, "vision_tower", ""),
            questions=questions,
        )

    def for_card(self, tower: str, repetition_penalty: float) -> dict[str, JsonScalar]:
        """What is in use, for the adapter's card.

        Args:
            tower: where the weights of SAM 2 are from.
            repetition_penalty: the checkpoint's.
        """
        return {
            "box": self.box.value,
            "vision_tower": tower,
            "repetition_penalty": repetition_penalty,
        }
