"""Decoding step by step on a GPU, each step replayed as one CUDA graph.

A step of a decoder is some thousand small kernels; launching them one by one takes the host far
longer than the GPU takes to run them. A captured step is launched at once. It needs fixed shapes
and addresses: rows and capacity are rounded up, and keys and values stand in one storage that all
shapes share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch

from adapters.decoder_step import Buffers, FusedDecoder
from adapters.decoding import GrowingLayer
from adapters.language import LanguageModel

SHARED = -1  # owner of places that every row attends to
_NOBODY = -2  # owner of places that hold nothing
_ROOM = 32  # steps there is room for until the buffers must grow
_SHAPES = 64  # captured steps kept

_Pool: TypeAlias = Any  # torch's handle of a graph's memory, whose type is private


class _Shape(NamedTuple):
    """Rows of ``batch`` sequences, ``rows`` in each, whose places number ``capacity``."""

    batch: int
    rows: int
    capacity: int

    def rounded_up(self) -> _Shape:
        """The shape that is captured, with room for further steps and one place to spare."""
        room = self.capacity + _ROOM * self.rows + 1
        return _Shape(rounded_up(self.batch, 2), rounded_up(self.rows, 2), rounded_up(room, 3))


def rounded_up(number: int, bits: int) -> int:
    """The next number that has so many significant bits, such as 1, 2, 3, 4, 6, 8, 12 with two."""
    unit = 1 << max(0, number.bit_length() - bits)
    return -(-number // unit) * unit


class Stepper:
    """Continues rows of a language model; one decoding follows the other, none runs beside it.

    The rows are either sequences of a batch or branches of one sequence, where each place belongs
    to one row or to all.
    """

    def __init__(self, language_model: LanguageModel, *, capture: bool = True) -> None:
        """Take the network, which must stay where it is.

        Args:
            language_model: the network.
            capture: replay CUDA graphs; else launch every kernel anew, which works on any device.
        """
        self._language_model = language_model
        self._decoder = FusedDecoder(language_model)
        self._capture = capture
        self._pool: _Pool | None = None
        self._storage = torch.empty(0)
        self._steps: dict[_Shape, _Step] = {}
        self._step: _Step | None = None
        self._held = _Shape(0, 0, 0)

    @classmethod
    def where_useful(cls, language_model: LanguageModel) -> Stepper | None:
        """A stepper for a network on a CUDA device, ``None`` for others."""
        device: torch.device = language_model.device
        return cls(language_model) if device.type == "cuda" else None

    def begin(
        self,
        groups: Sequence[Sequence[GrowingLayer]],
        owners: torch.Tensor,
        positions: torch.Tensor,
    ) -> None:
        """Take over what has been read; what was held before is forgotten.

        Args:
            groups: the layers of one part of the batch after another, all of one length.
            owners: int64 ``[length]``, the row whose place it is, or :data:`SHARED`.
            positions: int64 ``[rows]``, of each row's next token.
        """
        batch = sum(group[0].keys.shape[0] for group in groups)
        self._held = _Shape(batch, len(positions), len(owners))
        self._step = None  # or its buffers would stay while larger ones are made
        step = self._step = self._shaped(self._held.rounded_up())
        first = 0
        for group in groups:
            last = first + group[0].keys.shape[0]
            for layer, (keys, values) in zip(group, step.buffers, strict=True):
                _fill(keys[first:last], layer.keys[:, :, : layer.length])
                _fill(values[first:last], layer.values[:, :, : layer.length])
            first = last
        step.hold(self._held, owners, torch.arange(len(positions)), positions)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[held]``, to every row.

        Returns:
            Logits ``[held, vocabulary]``, good until the next step.
        """
        batch, rows, length = self._held
        step = self._current()
        if length + rows >= step.shape.capacity:
            step = self._move(torch.arange(batch), torch.arange(rows))
        step.tokens[:batch, :rows] = tokens.view(batch, rows)
        step.run()
        self._held = _Shape(batch, rows, length + rows)
        return step.logits[:batch, :rows].flatten(0, 1)

    def keep(self, kept: torch.Tensor) -> None:
        """Forget all rows but these, int64 ``[kept]``."""
        batch, rows, _ = self._held
        if batch > 1:
            self._move(kept, torch.arange(rows))
        else:
            self._move(torch.arange(batch), kept)

    def _current(self) -> _Step:
        if self._step is None:
            raise RuntimeError("a step was asked for before anything was read; begin() comes first")
        return self._step

    def _move(self, batch: torch.Tensor, rows: torch.Tensor) -> _Step:
        """Go on with these sequences and rows, with room for further steps."""
        old, length = self._current(), self._held.capacity
        batch, rows = batch.to(old.tokens.device), rows.to(old.tokens.device)
        # Copied before anything else: the new buffers are views of the same storage.
        copies = [
            Buffers(keys[batch, :, :length], values[batch, :, :length])
            for keys, values in old.buffers
        ]
        state = old.owners[:length].clone(), old.ids[rows], old.positions[rows]
        self._held = _Shape(len(batch), len(rows), length)
        new = self._step = self._shaped(self._held.rounded_up())
        for copy, (keys, values) in zip(copies, new.buffers, strict=True):
            _fill(keys[: len(batch)], copy.keys)
            _fill(values[: len(batch)], copy.values)
        new.hold(self._held, *state)
        return new

    def _shaped(self, shape: _Shape) -> _Step:
        """The step of a shape, captured when it is first needed."""
        if shape not in self._steps:
            if len(self._steps) >= _SHAPES:
                self._steps.pop(next(iter(self._steps)))
            buffers = self._buffers(shape)
            self._steps[shape] = _Step(self._decoder, shape, buffers, self._pool)
        return self._steps[shape]

    def _buffers(self, shape: _Shape) -> list[Buffers]:
        """Views of the storage, which grows where it must."""
        config = self._language_model.config
        heads, layers = config.num_key_value_heads, config.num_hidden_layers
        width = config.hidden_size // config.num_attention_heads
        view = (shape.batch, heads, shape.capacity, width)
        numbers = shape.batch * heads * shape.capacity * width
        if self._storage.numel() < 2 * layers * numbers:
            # The captured steps have the addresses of the storage that is given up. Those that
            # follow share one pool of memory, since only one runs at a time.
            self._steps.clear()
            self._pool = torch.cuda.graph_pool_handle() if self._capture else None
            weight = self._language_model.lm_head.weight
            self._storage = weight.new_zeros(layers, 2, numbers)
        return [
            Buffers(keys[:numbers].view(view), values[:numbers].view(view))
            for keys, values in self._storage
        ]


def _fill(buffer: torch.Tensor, read: torch.Tensor) -> None:
    """Copy what was read, ``[batch, heads, length, width]``, and clear the places behind it.

    What an earlier decoding left there has no weight, but no weight times infinity is not zero.
    """
    length = read.shape[2]
    buffer[:, :, :length] = read
    buffer[:, :, length:] = 0


class _Step:
    """A step of one shape: its inputs, at fixed addresses, and what it computes from them."""

    def __init__(
        self,
        decoder: FusedDecoder,
        shape: _Shape,
        buffers: list[Buffers],
        pool: _Pool | None,
    ) -> None:
        self._decoder = decoder
        self.shape = shape
        self.buffers = buffers
        device = buffers[0].keys.device

        def integers(*size: int, value: int = 0) -> torch.Tensor:
            return torch.full(size, value, dtype=torch.int64, device=device)

        batch, rows, capacity = shape
        self.tokens = integers(batch, rows)
        self.positions = integers(rows)
        self.owners = integers(capacity, value=_NOBODY)
        # Rows that hold nothing write to the last place, which nobody attends to.
        self.ids = integers(rows, value=_NOBODY)
        self._places = integers(rows, value=capacity - 1)
        self._strides = integers(rows)
        self.logits = torch.empty(0)
        self._graph = None if pool is None else _captured(self._compute, pool)

    def hold(
        self, held: _Shape, owners: torch.Tensor, ids: torch.Tensor, positions: torch.Tensor
    ) -> None:
        """Set the inputs to those of the rows held, and the others to nothing."""
        _, rows, length = held
        last = self.shape.capacity - 1
        self.owners[:length] = owners
        self.owners[length:] = _NOBODY
        self.ids[:rows], self.ids[rows:] = ids.to(self.ids.device), _NOBODY
        self.positions[:rows] = positions
        self.positions[rows:] = 0
        places = torch.arange(length, length + rows)
        self._places[:rows], self._places[rows:] = places.to(self.ids.device), last
        self._strides[:rows], self._strides[rows:] = rows, 0
        self.tokens.zero_()

    def run(self) -> None:
        """Append the tokens, and move every row to its next place."""
        if self._graph is None:
            self._compute()
        else:
            self._graph.replay()

    def _compute(self) -> None:
        self.owners.index_copy_(0, self._places, self.ids)
        allowed = (self.owners == self.ids[:, None]) | (self.owners == SHARED)
        self.logits = self._decoder.step(
            self.buffers, self.tokens, self.positions, self._places, allowed
        )
        self.positions += 1
        self._places += self._strides


def _captured(compute: Callable[[], None], pool: _Pool) -> torch.cuda.CUDAGraph:
    """``compute`` as a graph; run before, since what a first run sets up cannot be captured."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch is not typed here
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        compute()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
        compute()
    return graph
