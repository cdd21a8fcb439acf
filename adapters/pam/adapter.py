"""PAM behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from adapters.batches import Rows, decode_rows
from adapters.checkpoint import digest_of_preset, parameter_count
from adapters.decoding import Decoded, Stopping
from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import (
    AdapterCard,
    Answer,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
)
from adapters.masks import PixelBox
from adapters.pam import ENTRY
from adapters.pam.boxes import BOX_LABELS, box_points, read_boxes
from adapters.pam.checkpoint import find_parts, load_model, random_model
from adapters.pam.configuration import preset_config
from adapters.pam.generation import GenerationDefaults
from adapters.pam.modeling import PamModel
from adapters.pam.preprocessing import stretch
from adapters.pam.prompting import Prompt, Prompter
from adapters.pam.settings import ADAPTER, Settings
from adapters.pixels import normalise
from adapters.regions import logits_table, too_long
from adapters.stepping import Stepper

REVISION = 2
WAVE = 32  # regions decoded together; each holds keys and values of some 1,100 positions
PUBLISHED = {
    "Perceive-Anything/PAM-1.5B": "Qwen/Qwen2.5-1.5B-Instruct",
    "Perceive-Anything/PAM-3B": "Qwen/Qwen2.5-3B-Instruct",
}


@dataclass(frozen=True, slots=True)
class Wave:
    """Regions decoded together: their indices, and embeddings ``[n, L, hidden]`` of their prompts.

    ``prefix`` ``[P, hidden]`` goes before each.
    """

    indices: list[int]
    prefix: torch.Tensor
    prompts: torch.Tensor


class PamRecognizer:
    """A loaded PAM."""

    def __init__(
        self,
        model: PamModel,
        prompter: Prompter,
        generation: GenerationDefaults,
        settings: Settings,
        card: AdapterCard,
    ) -> None:
        self.model = model
        self.prompter = prompter
        self.generation = generation
        self.settings = settings
        self.card = card
        self.stepper = Stepper.where_useful(model.language_model)

    @torch.inference_mode()
    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A region that cannot be asked gets an answer saying why and leaves the others alone.

        Raises:
            SettingError: box=annotation, and a query has no annotated boxes.
        """
        return [self._answer(query, generation) for query in queries]

    def _answer(self, query: RegionQuery, generation: Generation) -> list[Answer]:
        prompt = self.prompt(query)
        stopping = Stopping.of(generation, *self.generation.stop_ids)
        found = read_boxes(query, self.settings.box)
        refusal = too_long(
            prompt.length,
            stopping.limit,
            self.model.config.context,
            "shorten the question or ask for fewer new tokens",
        )
        if refusal is not None:
            return [box if isinstance(box, Answer) else refusal for box in found]
        answers = {i: box for i, box in enumerate(found) if isinstance(box, Answer)}
        for wave in self.waves(query, prompt, found):
            decoded = decode_rows(
                self.model.language_model,
                wave.prefix,
                wave.prompts,
                stopping,
                self.generation.repetition_penalty,
                self.stepper,
            )
            told = (self._told(one, prompt) for one in decoded)
            answers |= dict(zip(wave.indices, told, strict=True))
        return [answers[index] for index in range(len(found))]

    def _told(self, decoded: Decoded, prompt: Prompt) -> Answer:
        text = self.prompter.decode(decoded.token_ids)
        return Answer.generated(text, decoded.token_ids, decoded.finish_reason, prompt.length)

    @torch.inference_mode()
    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token.

        Returns:
            float32 ``[regions, vocabulary]`` on the CPU; NaN for regions that are not asked.
        """
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        for wave in self.waves(query, self.prompt(query), read_boxes(query, self.settings.box)):
            logits = Rows(self.model.language_model, wave.prefix).start(wave.prompts)
            for index, row in zip(wave.indices, logits, strict=True):
                rows[index] = row
        return logits_table(rows, self.model.config.language.vocab_size)

    def prompt(self, query: RegionQuery) -> Prompt:
        """The prompt every region of a query is asked with."""
        return self.prompter.prompt(self.settings.questions[query.task])

    def waves(
        self, query: RegionQuery, prompt: Prompt, regions: Sequence[PixelBox | Answer]
    ) -> Iterator[Wave]:
        """Encode the picture once, and its regions wave by wave.

        Args:
            query: the picture.
            prompt: of the question.
            regions: boxes, and answers of regions that are not asked; without any box nothing is
                encoded.
        """
        boxes = {i: box for i, box in enumerate(regions) if isinstance(box, PixelBox)}
        if not boxes:
            return
        model = self.model
        pixels = normalise(stretch(query.image).to(model.device), model.dtype)
        features = model.encode_image(pixels)
        labels = torch.tensor(BOX_LABELS, device=model.device)
        prefix, after = model.embed(prompt.before), model.embed(prompt.after)
        indices = list(boxes)
        for start in range(0, len(indices), WAVE):
            chosen = indices[start : start + WAVE]
            points = box_points([boxes[i] for i in chosen], *query.image.size).to(model.device)
            visual = model.encode_regions(features, points, labels)
            question = after.expand(len(chosen), -1, -1)
            yield Wave(chosen, prefix, torch.cat([visual, question], dim=1))


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> PamRecognizer:
    """Load a checkpoint, or build a preset with random weights; see :func:`adapters.load`.

    Raises:
        SettingError: a setting cannot be used, or neither checkpoint nor preset is given.
        CheckpointError: the checkpoint is missing, incomplete, or not a PAM.
        DeviceError: the device does not exist here.
    """
    chosen = Settings.read(settings)
    where = resolve_device(device)
    number_type = resolve_dtype(dtype, where)
    if checkpoint is not None:
        parts = find_parts(checkpoint, revision, chosen.vision_tower)
        model = load_model(parts, where, number_type)
        prompter = Prompter(parts.tokenizer)
        generation, tower = parts.generation, parts.tower.kind
        name, digest = parts.checkpoint.name, parts.checkpoint.digest()
    elif preset is not None:
        if chosen.vision_tower:
            raise SettingError("pam: vision_tower is only used with a checkpoint, not a preset")
        model = random_model(preset_config(preset), seed, where, number_type)
        prompter = Prompter.standing_in(model.config.language.vocab_size)
        generation, tower = GenerationDefaults((prompter.end_of_turn,)), "random weights"
        name, digest = f"{preset} (random weights)", digest_of_preset(preset, seed)
    else:
        raise SettingError("pam: give either a checkpoint or a preset")
    card = AdapterCard(
        name=ADAPTER,
        revision=REVISION,
        checkpoint=name,
        checkpoint_digest=digest,
        parameters=parameter_count(model.parameters()),
        dtype=dtype_name(number_type),
        device=str(where),
        prompts=chosen.questions,
        settings=chosen.for_card(tower, generation.repetition_penalty),
        licence=ENTRY.licence if name in ENTRY.hub_ids else None,
        base_model=PUBLISHED.get(name),
    )
    return PamRecognizer(model, prompter, generation, chosen, card)
