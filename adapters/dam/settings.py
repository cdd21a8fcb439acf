"""The adapter's settings, checked before anything is loaded: they are prompts alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapters.dam.prompting import DESCRIPTION_PROMPT, JOINT_DESCRIPTION_PROMPT, PLACEHOLDER
from adapters.interface import JsonScalar, Task
from adapters.setting_values import prompts

ADAPTER = "dam"
# Trained on pictures and videos together. Its configuration is that of the picture model.
JOINT_MODEL = "DAM-3B-Video"


def read_prompts(checkpoint: str | Path | None, given: Mapping[str, JsonScalar]) -> dict[Task, str]:
    """The prompts a checkpoint was trained with, replaced by those that the settings give.

    Naming a region is not among the former. The joint model is told by its name, be it the Hub's
    or that of the folder it was downloaded to.

    Raises:
        SettingError: a prompt cannot be used.
    """
    joint = checkpoint is not None and Path(checkpoint).name == JOINT_MODEL
    trained = {Task.DESCRIPTION: JOINT_DESCRIPTION_PROMPT if joint else DESCRIPTION_PROMPT}
    return prompts(ADAPTER, given, trained, PLACEHOLDER, 1)
