"""DAM behind the region-recognition interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from adapters.batches import Rows, decode_rows
from adapters.checkpoint import digest_of_preset, parameter_count
from adapters.dam import ENTRY
from adapters.dam.checkpoint import load_model, load_tokenizer, random_model
from adapters.dam.configuration import preset_config
from adapters.dam.encoding import encode_regions
from adapters.dam.layout import find_layout
from adapters.dam.modeling import DamModel
from adapters.dam.preprocessing import RegionView, stretch, view_regions
from adapters.dam.prompting import SYSTEM_MESSAGE, Prompt, Prompter
from adapters.dam.settings import ADAPTER, read_prompts
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
from adapters.regions import logits_table, read_mask, too_long
from adapters.resampling import Resampler
from adapters.setting_values import prompt_for
from adapters.stepping import Stepper

REVISION = 2
PUBLISHED = {
    f"nvidia/{name}": "Efficient-Large-Model/VILA1.5-3b"
    for name in ("DAM-3B", "DAM-3B-Self-Contained", "DAM-3B-Video")
}
WAVE = 32  # regions decoded together; bounds memory when a picture has hundreds


class _Wave(NamedTuple):
    """Regions asked together, by index; ``refused`` are those that cannot be asked."""

    refused: dict[int, Answer]
    asked: dict[int, RegionView]


class DamRecognizer:
    """A loaded DAM.

    The regions of a picture share its stretched pixels with their patch embedding, and the text
    before the picture in the prompt. All features depend on the region, whose mask enters with
    the patches, so each region passes the tower twice and has its own keys and values from the
    picture on; the regions do so side by side, in batches, and answer like one by one.

    Answers are greedy; the authors' scripts sample at temperature 0.2.
    """

    def __init__(self, model: DamModel, prompter: Prompter, card: AdapterCard) -> None:
        self.model = model
        self.prompter = prompter
        self.card = card
        self.stepper = Stepper.where_useful(model.llm)

    @torch.inference_mode()
    def recognize(
        self, queries: Sequence[RegionQuery], generation: Generation
    ) -> list[list[Answer]]:
        """Answer every region of every query; see :class:`~adapters.interface.RegionRecognizer`.

        A region that cannot be asked gets an answer saying why and leaves the others alone.

        Raises:
            UnsupportedTask: a query's task has no trained prompt and none was given.
        """
        asked = [self._prompt(query) for query in queries]
        stopping = Stopping.of(generation, *self.model.config.stop_ids)
        return [
            self._answer(query, prompt, stopping)
            for query, prompt in zip(queries, asked, strict=True)
        ]

    @torch.inference_mode()
    def first_token_logits(self, query: RegionQuery) -> torch.Tensor:
        """Logits that choose each region's first token.

        Returns:
            float32 ``[regions, vocabulary]`` on the CPU; NaN for regions that are not asked.
        """
        prompt = self._prompt(query)
        rows: list[torch.Tensor | None] = [None] * len(query.masks)
        for picture, wave in self._waves(query):
            if wave.asked:
                first = Rows(self.model.llm, self.model.embed(prompt.pieces[0]))
                found = first.start(self._beginnings(picture, wave, prompt))
                for index, row in zip(wave.asked, found, strict=True):
                    rows[index] = row
        return logits_table(rows, self.model.config.language.vocab_size)

    def _prompt(self, query: RegionQuery) -> Prompt:
        return self.prompter.prompt(prompt_for(ADAPTER, self.card.prompts, query.task))

    def _answer(self, query: RegionQuery, prompt: Prompt, stopping: Stopping) -> list[Answer]:
        """Answer every region of one picture."""
        positions = prompt.length(self.model.config.image_tokens)
        refusal = too_long(
            positions,
            stopping.limit,
            self.model.config.max_positions,
            "use fewer new tokens or a shorter prompt",
        )
        answers: dict[int, Answer] = {}
        for picture, wave in self._waves(query):
            answers |= wave.refused
            if refusal is not None:
                answers |= dict.fromkeys(wave.asked, refusal)
            elif wave.asked:
                prefix = self.model.embed(prompt.pieces[0])
                beginnings = self._beginnings(picture, wave, prompt)
                decoded = decode_rows(
                    self.model.llm, prefix, beginnings, stopping, stepper=self.stepper
                )
                for index, one in zip(wave.asked, decoded, strict=True):
                    text = self.prompter.decode(one.token_ids)
                    answers[index] = Answer.generated(
                        text, one.token_ids, one.finish_reason, positions
                    )
        return [answers[index] for index in range(len(query.masks))]

    def _waves(self, query: RegionQuery) -> Iterator[tuple[torch.Tensor, _Wave]]:
        """The picture, stretched, with its regions wave by wave."""
        resampler = Resampler.beside(self.model.device)
        picture = stretch(query.image, self.model.config.vision.image_size, resampler)
        for start in range(0, len(query.masks), WAVE):
            indices = range(start, min(start + WAVE, len(query.masks)))
            found = {index: read_mask(query, index) for index in indices}
            masks = {i: mask for i, mask in found.items() if not isinstance(mask, Answer)}
            views = view_regions(picture, list(masks.values())) if masks else []
            refused = {i: answer for i, answer in found.items() if isinstance(answer, Answer)}
            yield picture.stretched, _Wave(refused, dict(zip(masks, views, strict=True)))

    def _beginnings(self, picture: torch.Tensor, wave: _Wave, prompt: Prompt) -> torch.Tensor:
        """Embeddings ``[n, L, hidden]`` of the asked regions' prompts after the first text."""
        tokens = encode_regions(self.model, picture, list(wave.asked.values()))
        return self.model.follow(tokens[:, None], prompt.pieces[1:])


def load(
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> DamRecognizer:
    """Load a checkpoint, or build a preset with random weights; see :func:`adapters.load`.

    Raises:
        SettingError: a setting cannot be used, or neither checkpoint nor preset is given.
        CheckpointError: the checkpoint is missing, incomplete, or not a DAM.
        DeviceError: the device does not exist here.
    """
    where = resolve_device(device)
    number_type = resolve_dtype(dtype, where)
    tokenizer: LlamaTokenizer
    chosen = read_prompts(checkpoint, settings)
    if checkpoint is not None:
        layout = find_layout(checkpoint, revision)
        model = load_model(layout, where, number_type)
        tokenizer = load_tokenizer(layout, model.config.language.vocab_size)
        name, digest = layout.name, layout.digest()
    elif preset is not None:
        model = random_model(preset_config(preset), seed, where, number_type)
        tokenizer = standin_llama(" ".join([SYSTEM_MESSAGE, "USER: ASSISTANT:", *chosen.values()]))
        name, digest = f"{preset} (random weights)", digest_of_preset(preset, seed)
    else:
        raise SettingError("dam: give either a checkpoint or a preset")
    card = AdapterCard(
        name=ADAPTER,
        revision=REVISION,
        checkpoint=name,
        checkpoint_digest=digest,
        parameters=parameter_count(model.parameters()),
        dtype=dtype_name(number_type),
        device=str(where),
        prompts=chosen,
        licence=ENTRY.licence if name in ENTRY.hub_ids else None,
        base_model=PUBLISHED.get(name),
    )
    return DamRecognizer(model, Prompter(tokenizer), card)
