"""Decoding step by step on a GPU, each step replayed as one CUDA graph.

A step of a decoder is some thousand small kernels; launching them one by one takes the host far
longer than the GPU takes to run them. A captured step is launched at once. It needs fixed shapes
and addresses: rows and capacity are rounded up, and keys and values stand in one storage that all
shapes share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias
from weakref import ReferenceType, ref

import torch

from adapters.decoder_step import Buffers, FusedDecoder
from adapters.decoding import GrowingLayer
from adapters.language import LanguageModel

SHARED = -1  # owner of places that every row attends to
_NOBODY = -2  # owner of places that hold nothing
_ROOM = 32  # steps that there is at first room for
_SHAPES = 64  # captured steps kept

_Pool: TypeAlias = Any  # torch's handle of a graph's memory, whose type is private


class _Shape(NamedTuple):
    """Rows of ``batch`` sequences, ``rows`` in each, whose places number ``capacity``.

    There are several sequences, or several rows in one, never both.
    """

    batch: int
    rows: int
    capacity: int

    def rounded_up(self, steps: int) -> _Shape:
        """The shape that is captured, with room for further steps and one place to spare."""
        room = self.capacity + steps * self.rows + 1
        return _Shape(rounded_up(self.batch, 2), rounded_up(self.rows, 2), rounded_up(room, 3))


def rounded_up(number: int, bits: int) -> int:
    """The next number that has so many significant bits, such as 1, 2, 3, 4, 6, 8, 12 with two."""
    unit = 1 << max(0, number.bit_length() - bits)
    return -(-number // unit) * unit


class Stepper:
    """What one language model needs to be continued in captured steps, again and again.

    One thread at a time may use it, and what continues with it.
    """

    def __init__(self, language_model: LanguageModel, *, capture: bool = True) -> None:
        """Take the network, which must stay where and as it is.

        Args:
            language_model: the network.
            capture: replay CUDA graphs; else launch every kernel anew, which works on any device.
        """
        self._language_model = language_model
        self._decoder = FusedDecoder(language_model)
        self._capturing = _Capturing(language_model.device) if capture else None
        self._storage = torch.empty(0)
        self._steps: dict[_Shape, _Step] = {}
        # Weak, or neither would give its memory back before the next garbage collection.
        self._continued: ReferenceType[Continuation] | None = None

    @classmethod
    def where_useful(cls, language_model: LanguageModel) -> Stepper | None:
        """A stepper for a network on an NVIDIA GPU, ``None`` for others."""
        is_cuda = language_model.device.type == "cuda" and torch.version.hip is None
        return cls(language_model) if is_cuda else None

    @torch.inference_mode()
    def begin(
        self,
        groups: Sequence[Sequence[GrowingLayer]],
        owners: torch.Tensor,
        positions: torch.Tensor,
    ) -> Continuation:
        """Take over what has been read; the continuation begun before ends.

        The rows are either sequences of a batch or branches of one sequence, where each place
        belongs to one row or to all.

        Args:
            groups: the layers of one part of the batch after another, all of one length.
            owners: int64 ``[length]``, the row whose place it is, or :data:`SHARED`.
            positions: int64 ``[rows]``, of each row's next token.
        """
        batch = sum(group[0].keys.shape[0] for group in groups)
        held = _Shape(batch, len(positions), len(owners))
        self._continued = None  # its storage may be replaced from here on, even if this fails
        step = self.shaped(held.rounded_up(_ROOM))
        first = 0
        for group in groups:
            last = first + group[0].keys.shape[0]
            for layer, (keys, values) in zip(group, step.buffers, strict=True):
                _fill(keys[first:last], layer.keys[:, :, : layer.length])
                _fill(values[first:last], layer.values[:, :, : layer.length])
            first = last
        step.hold(held, owners, torch.arange(len(positions)), positions)
        continuation = Continuation(self, held, step)
        self._continued = ref(continuation)
        return continuation

    def is_continuing(self, continuation: Continuation) -> bool:
        """Whether it is the one begun last."""
        return self._continued is not None and self._continued() is continuation

    def shaped(self, shape: _Shape) -> _Step:
        """The step of a shape, captured when it is first needed."""
        if shape in self._steps:
            self._steps[shape] = self._steps.pop(shape)  # the last to be given up
            return self._steps[shape]
        if len(self._steps) >= _SHAPES:
            self._steps.pop(next(iter(self._steps)))
        buffers = self._buffers(shape)
        if self._capturing and not self._steps:
            self._capturing.renew()
        self._steps[shape] = _Step(self._decoder, shape, buffers, self._capturing)
        return self._steps[shape]

    def _buffers(self, shape: _Shape) -> list[Buffers]:
        """Views of the storage, which grows where it must."""
        config, heads = self._language_model.config, self._decoder.heads
        layers, width = config.num_hidden_layers, self._decoder.width
        view = (shape.batch, heads, shape.capacity, width)
        numbers = shape.batch * heads * shape.capacity * width
        if self._storage.numel() < 2 * layers * numbers:
            # The captured steps have the addresses of the storage that is given up.
            self._steps.clear()
            self._storage = torch.empty(0)
            weight = self._language_model.lm_head.weight
            self._storage = weight.new_zeros(layers, 2, numbers)
        return [
            Buffers(keys[:numbers].view(view), values[:numbers].view(view))
            for keys, values in self._storage
        ]


class Continuation:
    """Rows that are continued, until their stepper begins with others."""

    def __init__(self, stepper: Stepper, held: _Shape, step: _Step) -> None:
        self._stepper = stepper
        self._held = held
        self._step = step
        self._taken = 0

    @torch.inference_mode()
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token, int64 ``[held]``, to every row.

        Returns:
            Logits ``[held, vocabulary]``, good until the next step.

        Raises:
            RuntimeError: the stepper has begun with others.
        """
        self._check()
        batch, rows, length = self._held
        if length + rows >= self._step.shape.capacity:
            self._move(torch.arange(batch), torch.arange(rows))
        step = self._step
        step.tokens[:] = tokens[0]
        step.tokens[:batch, :rows] = tokens.view(batch, rows)
        step.run()
        self._held, self._taken = _Shape(batch, rows, length + rows), self._taken + 1
        return step.logits[:batch, :rows].flatten(0, 1)

    @torch.inference_mode()
    def keep(self, kept: torch.Tensor) -> None:
        """Forget all rows but these, int64 ``[kept]``.

        Raises:
            RuntimeError: the stepper has begun with others.
        """
        self._check()
        batch, rows, _ = self._held
        if batch > 1:
            self._move(kept, torch.arange(rows))
        else:
            self._move(torch.arange(batch), kept)

    def _check(self) -> None:
        if not self._stepper.is_continuing(self):
            raise RuntimeError(
                "these answers can no longer be continued: their model has begun with others; "
                "one model answers one query after the other"
            )

    def _move(self, batch: torch.Tensor, rows: torch.Tensor) -> None:
        """Go on with these sequences and rows, with room for as many steps again."""
        old, length = self._step, self._held.capacity
        batch, rows = batch.to(old.tokens.device), rows.to(old.tokens.device)
        ids, owners = old.ids[rows], old.owners[:length]
        several = self._held.batch > 1
        # Places of branches that are gone are given up; a sequence goes with all that it has.
        places = torch.arange(length, device=owners.device)
        if not several:
            places = places[(owners == SHARED) | torch.isin(owners, ids)]

        def moved(buffer: torch.Tensor) -> torch.Tensor:
            return buffer[batch, :, :length] if several else buffer[:, :, places]

        # Copied before anything else: the new buffers are views of the same storage.
        copies = [Buffers(moved(keys), moved(values)) for keys, values in old.buffers]
        state = owners[places], ids, old.positions[rows]
        del old, owners, self._step  # or their buffers would stay while larger ones are made
        self._held = _Shape(len(batch), len(rows), len(places))
        self._step = self._stepper.shaped(self._held.rounded_up(max(_ROOM, self._taken)))
        for copy, (keys, values) in zip(copies, self._step.buffers, strict=True):
            _fill(keys[: len(batch)], copy.keys)
            _fill(values[: len(batch)], copy.values)
        self._step.hold(self._held, *state)


def _fill(buffer: torch.Tensor, read: torch.Tensor) -> None:
    """Copy what was read, ``[batch, heads, length, width]``, and clear the places behind it.

    What an earlier decoding left there has no weight, but no weight times infinity is not zero.
    """
    length = read.shape[2]
    buffer[:, :, :length] = read
    buffer[:, :, length:] = 0


class _Step:
    """A step of one shape: its inputs, at fixed addresses, and what it computes from them.

    Rows that hold nothing do what the first row does, but write to the last place, which nobody
    attends to.
    """

    def __init__(
        self,
        decoder: FusedDecoder,
        shape: _Shape,
        buffers: list[Buffers],
        capturing: _Capturing | None,
    ) -> None:
        self.shape = shape
        self.buffers = buffers
        self._decoder = decoder
        device = buffers[0].keys.device

        def integers(*size: int, value: int = 0) -> torch.Tensor:
            return torch.full(size, value, dtype=torch.int64, device=device)

        batch, rows, capacity = shape
        self.tokens = integers(batch, rows)
        self.positions = integers(rows)
        self.owners = integers(capacity, value=_NOBODY)
        self.ids = integers(rows)
        self._writers = integers(rows, value=_NOBODY)
        self._places = integers(rows, value=capacity - 1)
        self._strides = integers(rows)
        self.logits = torch.empty(0)
        self._graph = None if capturing is None else capturing.capture(self._compute)

    def hold(
        self, held: _Shape, owners: torch.Tensor, ids: torch.Tensor, positions: torch.Tensor
    ) -> None:
        """Set the inputs to those of the rows held."""
        _, rows, length = held
        self.owners[:length], self.owners[length:] = owners, _NOBODY
        for inputs, wanted in ((self.ids, ids), (self.positions, positions)):
            wanted = wanted.to(inputs.device)
            inputs[:rows], inputs[rows:] = wanted, wanted[0]
        self._writers[:rows], self._writers[rows:] = self.ids[:rows], _NOBODY
        places = torch.arange(length, length + rows)
        self._places[:rows] = places.to(self._places.device)
        self._places[rows:] = self.shape.capacity - 1
        self._strides[:rows], self._strides[rows:] = rows, 0

    def run(self) -> None:
        """Append the tokens, and move every row to its next place."""
        if self._graph is None:
            self._compute()
        else:
            self._graph.replay()

    def _compute(self) -> None:
        self.owners.index_copy_(0, self._places, self._writers)
        allowed = (self.owners == self.ids[:, None]) | (self.owners == SHARED)
        self.logits = self._decoder.step(
            self.buffers, self.tokens, self.positions, self._places, allowed
        )
        self.positions += 1
        self._places += self._strides


class _Capturing:
    """Captures on one device. Graphs share their memory: only one of them runs at a time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # One for all, since cuBLAS keeps room for each stream that it has ever worked on.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch is not
        self._pool: _Pool = torch.cuda.graph_pool_handle()

    def renew(self) -> None:
        """Begin with memory of its own; to be called when no graph is left, which ends the old."""
        self._pool = torch.cuda.graph_pool_handle()

    def capture(self, compute: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """``compute`` as a graph; run before, since what a first run sets up is not captured."""
        with torch.cuda.device(self._device):
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                compute()
            torch.cuda.current_stream().wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                compute()
        return graph
