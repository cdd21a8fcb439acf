"""Computed cost: floating-point operations of a query, counted on the networks themselves.

Nothing is estimated from formulas: the adapters' own modules run, on blank pictures, and PyTorch
counts. On the meta device that takes neither weights nor an accelerator, and any size will do.
A multiplication and the addition of its product are two operations. Only products of matrices,
convolutions and attention count, attention in full where a causal mask hides half of it; what is
done value by value does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

from adapters.batches import Rows
from adapters.branches import Branches
from adapters.interface import JsonScalar, SettingError
from adapters.language import LanguageModel
from adapters.regions import too_long

Way = Literal["together", "alone"]
Result = TypeVar("Result")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class PhaseCosts:
    """Operations of one picture with its regions, by phase.

    ``vision`` is everything up to what the language model reads, ``prefill`` its reading of the
    prompts up to the first new tokens' logits, ``decode`` all further tokens. ``kv_cache_bytes``
    is the most that keys and values take at any moment, without the buffers' room to spare.
    """

    vision: int
    prefill: int
    decode: int
    kv_cache_bytes: int

    @property
    def flops(self) -> int:
        """All operations."""
        return self.vision + self.prefill + self.decode

    def repeated(self, times: int) -> PhaseCosts:
        """The same query so many times over; each gives its keys and values up before the next."""
        return replace(
            self,
            vision=times * self.vision,
            prefill=times * self.prefill,
            decode=times * self.decode,
        )


class Coster(Protocol):
    """Counts a query of a preset; what an adapter's entry names as its ``coster``."""

    def __call__(
        self,
        preset: str,
        *,
        instances: int,
        tokens: int,
        size: tuple[int, int],
        dtype: str = "auto",
        **settings: JsonScalar,
    ) -> PhaseCosts:
        """Cost of a query; see :meth:`~adapters.registry.AdapterEntry.cost`."""
        ...


def on_meta(
    load: Callable[..., Loaded],
    cost_of_query: Callable[[Loaded, int, int, tuple[int, int]], PhaseCosts],
) -> Coster:
    """Let a preset's network be built on the meta device, and a query of it be counted.

    Args:
        load: the adapter's loader.
        cost_of_query: takes what was loaded, the number of regions, the new tokens of every
            answer, and the picture's width and height.
    """

    def cost(
        preset: str,
        *,
        instances: int,
        tokens: int,
        size: tuple[int, int],
        dtype: str = "auto",
        **settings: JsonScalar,
    ) -> PhaseCosts:
        loaded = load(
            None, preset=preset, device="meta", dtype=dtype, revision=None, seed=0, **settings
        )
        return cost_of_query(loaded, instances, tokens, size)

    return cost


class Counted(NamedTuple, Generic[Result]):
    """What a run took and gave."""

    flops: int
    result: Result


def _cpu_attention(
    query: Sequence[int], key: Sequence[int], *args: object, **kwargs: object
) -> int:
    """Of a CPU's fused attention, which PyTorch's counter passes over: two products of matrices."""
    batch, heads, rows, width = query
    return 4 * batch * heads * rows * key[2] * width


def count_flops(run: Callable[[], Result]) -> Counted[Result]:
    """Run, and count the floating-point operations."""
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    with FlopCounterMode(display=False, custom_mapping={fused: _cpu_attention}) as counter:
        result = run()
    return Counted(int(counter.get_total_flops()), result)


def count_steps(step: Callable[[int], object], steps: int) -> int:
    """Operations of ``step(0)``, ``step(1)`` … in this order, of which only two are run.

    Each step attends to as many more positions than the one before, and does the same otherwise:
    the operations grow by the same number every time.
    """
    if steps == 0:
        return 0
    first = count_flops(lambda: step(0)).flops
    if steps == 1:
        return first
    growth = count_flops(lambda: step(1)).flops - first
    return steps * first + steps * (steps - 1) // 2 * growth


def key_value_bytes(language_model: LanguageModel, positions: int) -> int:
    """Bytes of all layers' keys and values of so many positions."""
    config = language_model.config
    width = config.hidden_size // config.num_attention_heads * config.num_key_value_heads
    return int(2 * config.num_hidden_layers * width * language_model.dtype.itemsize * positions)


def count_branches(
    language_model: LanguageModel,
    prefix: torch.Tensor,
    branches: Sequence[torch.Tensor],
    tokens: int,
    wave: int,
) -> PhaseCosts:
    """Branches of one prefix, ``tokens`` new tokens each, so many branches at a time.

    Args:
        language_model: the network.
        prefix: embeddings ``[P, hidden]``.
        branches: embeddings ``[L_i, hidden]``.
        tokens: at least 1; the last is chosen but not read.
        wave: most branches decoded together.
    """
    prefill, sequence = count_flops(lambda: Branches(language_model, prefix))
    waves = in_sequence(
        *(
            _count_wave(language_model, sequence, branches[start : start + wave], tokens)
            for start in range(0, len(branches), wave)
        )
    )
    return replace(
        waves,
        prefill=prefill + waves.prefill,
        kv_cache_bytes=key_value_bytes(language_model, len(prefix)) + waves.kv_cache_bytes,
    )


def _count_wave(
    language_model: LanguageModel,
    sequence: Branches,
    branches: Sequence[torch.Tensor],
    tokens: int,
) -> PhaseCosts:
    """Branches decoded together; the prefix's keys and values are left out."""
    lengths = [len(branch) for branch in branches]
    chosen = torch.zeros(len(lengths), dtype=torch.int64, device=branches[0].device)
    prefill = count_flops(lambda: sequence.start(branches)).flops
    decode = count_steps(lambda _: sequence.step(chosen), tokens - 1)
    positions = sum(lengths) + len(lengths) * (tokens - 1)
    return PhaseCosts(0, prefill, decode, key_value_bytes(language_model, positions))


def count_rows(
    language_model: LanguageModel, prefix: torch.Tensor, prompts: torch.Tensor, tokens: int
) -> PhaseCosts:
    """Rows that follow one prefix, ``tokens`` new tokens each, all in one batch.

    Args:
        language_model: the network.
        prefix: embeddings ``[P, hidden]``; every row ends up with a copy of its keys and values.
        prompts: embeddings ``[rows, L, hidden]``.
        tokens: at least 1; the last is chosen but not read.
    """

    def read() -> Rows:
        rows = Rows(language_model, prefix)
        rows.start(prompts)
        return rows

    prefill, rows = count_flops(read)
    chosen = torch.zeros(len(prompts), dtype=torch.int64, device=prompts.device)
    decode = count_steps(lambda _: rows.step(chosen), tokens - 1)
    positions = len(prompts) * (len(prefix) + prompts.shape[1] + tokens - 1)
    return PhaseCosts(0, prefill, decode, key_value_bytes(language_model, positions))


def in_sequence(*parts: PhaseCosts) -> PhaseCosts:
    """One after another: operations add up, keys and values take the most room of any."""
    return PhaseCosts(
        sum(part.vision for part in parts),
        sum(part.prefill for part in parts),
        sum(part.decode for part in parts),
        max(part.kv_cache_bytes for part in parts),
    )


def check_context(prompt_tokens: int, new_tokens: int, limit: int) -> None:
    """Refuse to count what the model would not be asked.

    Raises:
        SettingError: the prompt leaves no room for so many new tokens.
    """
    refusal = too_long(prompt_tokens, new_tokens, limit, "ask for fewer new tokens or regions")
    if refusal is not None:
        raise SettingError(f"nothing to count: {refusal.error}")
