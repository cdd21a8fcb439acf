"""Generic vision-language models behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image

from adapters.checkpoint import parameter_count
from adapters.checkpoint_files import find_folder
from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import (
    AdapterCard,
    Answer,
    CheckpointError,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
    Task,
)
from adapters.regions import logits_table, read_mask
from adapters.vlm.checkpoint import find_files, load_model, quiet, read_config
from adapters.vlm.generation import Asked, Speaker
from adapters.vlm.preprocessing import show_region
from adapters.vlm.processor import load_processor
from adapters.vlm.prompting import prompt_text
from adapters.vlm.settings import Settings

REVISION = 1
BATCH = 8  # regions asked together; bounds memory, each has a picture and a prompt of its own

Shown = Mapping[int, Image.Image]


class VlmRecognizer:
    """A loaded image-text-to-text model."""

    def __init__(
        self, speaker: Speaker, texts: Mapping[Task, str], settings: Settings, card: AdapterCard
    ) -> None:
        self.card = card
        self._speaker = speaker
        self._texts = texts
        self._settings = settings

    @torch.inference_mode()
    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A region that cannot be asked gets an answer saying why and leaves the others alone.
        """
        with quiet():
            return [self._answer(query, generation) for query in queries]

    @torch.inference_mode()
    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token.

        Returns:
            float32 ``[regions, vocabulary]`` on the CPU; NaN for regions that are not asked.
        """
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        with quiet():
            for _, shown in self._batches(query):
                if shown:
                    text, pictures = self._texts[query.task], list(shown.values())
                    logits = self._speaker.first_logits(text, pictures)
                    for index, row in zip(shown, logits, strict=True):
                        rows[index] = row
        return logits_table(rows, self._speaker.vocab_size)

    def _answer(self, query: RegionQuery, generation: Generation) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for refused, shown in self._batches(query):
            answers |= refused
            answers |= self._ask(query, shown, generation)
        return [answers[index] for index in range(len(query.masks))]

    def _batches(self, query: RegionQuery) -> Iterator[tuple[dict[int, Answer], Shown]]:
        """The regions in order, some at a time.

        Yields:
            By index, answers of regions that cannot be asked and pictures of the others, if any.
        """
        for start in range(0, len(query.masks), BATCH):
            refused: dict[int, Answer] = {}
            shown: dict[int, Image.Image] = {}
            for index in range(start, min(start + BATCH, len(query.masks))):
                mask = read_mask(query, index)
                if isinstance(mask, Answer):
                    refused[index] = mask
                else:
                    shown[index] = show_region(query.image, mask, self._settings)
            yield refused, shown

    def _ask(self, query: RegionQuery, shown: Shown, generation: Generation) -> dict[int, Answer]:
        """Ask together; where that fails one at a time, so that a failure stays with its region."""
        if not shown:
            return {}
        asked = self._ask_together(self._texts[query.task], shown, generation)
        if not isinstance(asked, str):
            return {
                index: Answer.generated(
                    self._speaker.text(decoded), decoded.token_ids, decoded.finish_reason, prompt
                )
                for index, (decoded, prompt) in zip(shown, asked, strict=True)
            }
        if len(shown) > 1:
            answers: dict[int, Answer] = {}
            for index, picture in shown.items():
                answers |= self._ask(query, {index: picture}, generation)
            return answers
        (index,) = shown
        where = f"image {query.image_id!r}, region {query.region_ids[index]!r}"
        return {index: Answer.errored(f"{where}: {asked}")}

    def _ask_together(self, text: str, shown: Shown, generation: Generation) -> list[Asked] | str:
        """The answers in order, or what went wrong.

        Some processors cannot batch, some refuse a picture for its shape, and each says so with
        an exception of its own.
        """
        try:
            return self._speaker.ask(text, list(shown.values()), generation)
        except Exception as error:
            return f"{type(error).__name__}: {error}"


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> VlmRecognizer:
    """Load a checkpoint; see :func:`adapters.load`.

    Raises:
        SettingError: a setting cannot be used, or a preset was asked for.
        CheckpointError: the checkpoint is missing or incomplete, or of a model this adapter
            cannot speak to.
        DeviceError: the device does not exist here.
    """
    if preset is not None:
        raise SettingError("adapter 'vlm' has no presets; give a checkpoint")
    if checkpoint is None:
        raise CheckpointError("adapter 'vlm' needs a checkpoint: a folder or a Hub id")
    chosen = Settings.read(settings)
    where = resolve_device(device)
    number_type = resolve_dtype(dtype, where)
    name, folder = find_folder(checkpoint, revision)
    with quiet():
        config = read_config(name, folder)
        found = find_files(name, folder)
        processor = load_processor(name, folder, config)
        texts = {
            task: prompt_text(name, processor, question)
            for task, question in chosen.prompts.items()
        }
        speaker = Speaker.of(load_model(found, where, number_type), processor)
    card = AdapterCard(
        name="vlm",
        revision=REVISION,
        checkpoint=name,
        checkpoint_digest=found.digest(),
        parameters=parameter_count(speaker.model.parameters()),
        dtype=dtype_name(number_type),
        device=str(where),
        prompts=chosen.prompts,
        settings={
            **chosen.for_card(),
            "image_processor": type(processor.image_processor).__name__,
            "repetition_penalty": speaker.repetition_penalty,
        },
    )
    return VlmRecognizer(speaker, texts, chosen, card)
