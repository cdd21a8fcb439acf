"""WOW-Seg behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from adapters.checkpoint import digest_of_preset, find_checkpoint, parameter_count
from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import (
    AdapterCard,
    Answer,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
)
from adapters.qwen2_tokenizer import load_qwen2_tokenizer
from adapters.stepping import Stepper
from adapters.wow_seg import ENTRY
from adapters.wow_seg.cascade import CascadeMode, separator_id
from adapters.wow_seg.checkpoint import load_model, random_model
from adapters.wow_seg.configuration import preset_config
from adapters.wow_seg.context import Mode, ModelContext
from adapters.wow_seg.prompting import Prompter
from adapters.wow_seg.settings import MultiInstance, Settings
from adapters.wow_seg.shared_prefix import SharedPrefixMode
from adapters.wow_seg.single import SingleMode

REVISION = 2
PUBLISHED = {"AAwcAA/WOW-Seg": "OpenGVLab/InternVL3-1B"}


class WowSegRecognizer:
    """A loaded WOW-Seg."""

    def __init__(self, context: ModelContext, card: AdapterCard) -> None:
        self.context = context
        self.card = card
        self._mode = _mode(context)

    @torch.inference_mode()
    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A region that cannot be asked gets an answer saying why and leaves the others alone.

        Raises:
            UnsupportedTask: a query's task has no trained prompt and none was given.
        """
        templates = [self.context.settings.template(query.task) for query in queries]
        return [
            self._mode.recognize(query, template, generation)
            for query, template in zip(queries, templates, strict=True)
        ]

    @torch.inference_mode()
    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token.

        Returns:
            float32 ``[regions, vocabulary]`` on the CPU; NaN for regions that are not asked.
        """
        return self._mode.first_token_logits(query, self.context.settings.template(query.task))


def _mode(context: ModelContext) -> Mode:
    match context.settings.multi_instance:
        case MultiInstance.SINGLE:
            return SingleMode(context)
        case MultiInstance.SHARED_PREFIX:
            return SharedPrefixMode(context)
        case MultiInstance.CASCADE:
            separator = separator_id(context.prompter, context.settings.separator)
            return CascadeMode(context, separator)


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> WowSegRecognizer:
    """Load a checkpoint, or build a preset with random weights; see :func:`adapters.load`.

    Raises:
        SettingError: a setting cannot be used, or neither checkpoint nor preset is given.
        CheckpointError: the checkpoint is missing, incomplete, or not a WOW-Seg.
        DeviceError: the device does not exist here.
    """
    chosen = Settings.read(settings)
    where = resolve_device(device)
    number_type = resolve_dtype(dtype, where)
    if checkpoint is not None:
        found = find_checkpoint(checkpoint, revision, adapter="wow-seg")
        model = load_model(found, where, number_type)
        prompter = Prompter(load_qwen2_tokenizer(found.folder))
        name, digest = found.name, found.digest()
    elif preset is not None:
        model = random_model(preset_config(preset), seed, where, number_type)
        prompter = Prompter.standing_in(model.config.language.vocab_size)
        name, digest = f"{preset} (random weights)", digest_of_preset(preset, seed)
    else:
        raise SettingError("wow-seg: give either a checkpoint or a preset")
    card = AdapterCard(
        name="wow-seg",
        revision=REVISION,
        checkpoint=name,
        checkpoint_digest=digest,
        parameters=parameter_count(model.parameters()),
        dtype=dtype_name(number_type),
        device=str(where),
        prompts=chosen.prompts,
        settings=chosen.for_card(),
        licence=ENTRY.licence if name in ENTRY.hub_ids else None,
        base_model=PUBLISHED.get(name),
        context_dependent=chosen.multi_instance is MultiInstance.CASCADE,
    )
    stepper = Stepper.where_useful(model.language_model)
    return WowSegRecognizer(ModelContext(model, prompter, chosen, stepper), card)
