"""Osprey behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from adapters.branches import decode_branches
from adapters.checkpoint import digest_of_preset, find_checkpoint, parameter_count
from adapters.decoding import Stopping
from adapters.device import dtype_name, resolve_device, resolve_dtype
from adapters.interface import (
    AdapterCard,
    Answer,
    Generation,
    JsonScalar,
    RegionQuery,
    SettingError,
)
from adapters.llama_tokenizer import LlamaTokenizer, standin_llama
from adapters.osprey import ENTRY
from adapters.osprey.checkpoint import (
    load_model,
    load_tokenizer,
    random_model,
    with_vision_tower,
)
from adapters.osprey.configuration import OspreyConfig, preset_config
from adapters.osprey.modeling import OspreyModel
from adapters.osprey.preprocessing import IMAGE_TOKENS
from adapters.osprey.prompting import MASK, POSITION, SYSTEM_MESSAGE, Prompt, Prompter
from adapters.osprey.settings import ADAPTER, TRAINED_PROMPTS, Settings
from adapters.osprey.shared_prefix import SharedPrefix
from adapters.regions import logits_table
from adapters.stepping import Stepper

REVISION = 2
PUBLISHED = {
    f"sunshine-lwt/{name}": "lmsys/vicuna-7b-v1.5" for name in ("Osprey-7b", "Osprey-Chat-7b")
}


class OspreyRecognizer:
    """A loaded Osprey.

    All regions of a picture share its feature maps, its tokens and the prompt up to the region;
    only a region's two embeddings and what follows them are its own.

    Answers are greedy; the authors' scripts sample at temperature 0.2.
    """

    def __init__(self, model: OspreyModel, prompter: Prompter, card: AdapterCard) -> None:
        """Take a network and the prompts on its card.

        Raises:
            CheckpointError: the tokenizer gives ids that the network does not embed.
        """
        self.model = model
        self.prompter = prompter
        self.card = card
        self.stepper = Stepper.where_useful(model.language_model)
        self._prompts = {task: prompter.prompt(text) for task, text in card.prompts.items()}

    @torch.inference_mode()
    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A region that cannot be asked gets an answer saying why and leaves the others alone.
        """
        return [self._recognize(query, self._prompts[query.task], generation) for query in queries]

    def _recognize(
        self, query: RegionQuery, prompt: Prompt, generation: Generation
    ) -> list[Answer]:
        stopping = Stopping.of(generation, self.prompter.tokenizer.eos_id)
        length = prompt.length(IMAGE_TOKENS)
        answers: dict[int, Answer] = {}
        shared = SharedPrefix(self.model, prompt, self.stepper)
        for wave in shared.waves(query, stopping.limit):
            answers |= wave.refused
            if wave.prefix is None:
                continue
            decoded = decode_branches(wave.prefix, list(wave.beginnings.values()), stopping)
            for index, (token_ids, reason) in zip(wave.beginnings, decoded, strict=True):
                text = self.prompter.decode(token_ids)
                answers[index] = Answer.generated(text, token_ids, reason, length)
        return [answers[index] for index in range(len(query.masks))]

    @torch.inference_mode()
    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token.

        Returns:
            float32 ``[regions, vocabulary]`` on the CPU; NaN for regions that are not asked.
        """
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        for wave in SharedPrefix(self.model, self._prompts[query.task]).waves(query, 0):
            if wave.prefix is not None:
                logits = wave.prefix.start(list(wave.beginnings.values()))
                for index, row in zip(wave.beginnings, logits, strict=True):
                    rows[index] = row
        return logits_table(rows, self.model.config.language.vocab_size)


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> OspreyRecognizer:
    """Load a checkpoint, or build a preset with random weights; see :func:`adapters.load`.

    Raises:
        SettingError: a setting cannot be used, or neither checkpoint nor preset is given.
        CheckpointError: the checkpoint is missing, incomplete, or not an Osprey.
        DeviceError: the device does not exist here.
    """
    chosen = Settings.read(settings)
    where = resolve_device(device)
    number_type = resolve_dtype(dtype, where)
    if checkpoint is not None:
        found = find_checkpoint(checkpoint, revision, adapter=ADAPTER)
        config = OspreyConfig.from_json(found.folder / "config.json")
        found = with_vision_tower(found, config, chosen.vision_tower)
        tokenizer = load_tokenizer(found.folder)
        model = load_model(found, config, where, number_type)
        name, digest = found.name, found.digest()
    elif preset is not None:
        tokenizer = _standin_tokenizer()
        model = random_model(preset_config(preset), seed, where, number_type)
        name, digest = f"{preset} (random weights)", digest_of_preset(preset, seed)
    else:
        raise SettingError(f"{ADAPTER}: give either a checkpoint or a preset")
    card = AdapterCard(
        name=ADAPTER,
        revision=REVISION,
        checkpoint=name,
        checkpoint_digest=digest,
        parameters=parameter_count(model.parameters()),
        dtype=dtype_name(number_type),
        device=str(where),
        prompts=chosen.prompts,
        licence=ENTRY.licence if name in ENTRY.hub_ids else None,
        base_model=PUBLISHED.get(name),
    )
    return OspreyRecognizer(model, Prompter(tokenizer, model.config.language.vocab_size), card)


def _standin_tokenizer() -> LlamaTokenizer:
    text = " ".join((SYSTEM_MESSAGE, "USER: ASSISTANT:", *TRAINED_PROMPTS.values()))
    return standin_llama(text, (MASK, POSITION))
