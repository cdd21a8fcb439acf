"""CUDA graphs acted out on a CPU: operations are recorded once and replayed at fixed addresses.

As on a GPU, recording computes nothing, and a replay computes from what stands at the addresses
that were read; what the host decided meanwhile stays as it was. All results are spoilt before every
replay, since graphs share their memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

HOST_READS = {"_local_scalar_dense", "item", "equal", "is_nonzero", "masked_select", "nonzero"}


class Call(NamedTuple):
    """One operation as it was called, and where its tensors were."""

    function: Any
    inputs: tuple[Any, ...]
    options: dict[str, Any]
    results: list[torch.Tensor]
    addresses: list[int]

    def repeat(self) -> None:
        """Compute anew, into the same results."""
        moved = self.addresses != [t.data_ptr() for t in tensors([self.inputs, self.options])]
        assert not moved, f"{self.function}: a captured address is no longer that of its tensor"
        again = self.function(*self.inputs, **self.options)
        for old, new in zip(self.results, tensors(again), strict=True):
            if storage(old) != storage(new):
                old.copy_(new)


class RecordedGraph(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch is not
    """What :class:`torch.cuda.CUDAGraph` is on a GPU, as far as steps use it."""

    def __init__(self, compute: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.replays = 0
        self._calls: list[Call] = []
        self._made: dict[int, torch.Tensor] = {}
        self._changed: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        with self:
            compute()
        for tensor, before in self._changed.values():
            tensor.copy_(before)
        self._spoil()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        """Record an operation; those that a host waits for cannot be captured."""
        if func.overloadpacket.__name__ in HOST_READS:
            raise RuntimeError(f"{func}: the host waits for the result")
        given = tensors([args, kwargs])
        addresses = [tensor.data_ptr() for tensor in given]
        if func._schema.is_mutable and storage(args[0]) not in self._made:
            self._changed.setdefault(args[0].data_ptr(), (args[0], args[0].clone()))
        made = func(*args, **(kwargs or {}))
        self._calls.append(Call(func, args, kwargs or {}, tensors(made), addresses))
        for tensor in tensors(made):
            if storage(tensor) not in {storage(known) for known in given}:
                self._made[storage(tensor)] = tensor
        return made

    @torch.inference_mode()
    def replay(self) -> None:
        """Compute everything anew."""
        self.replays += 1
        self._spoil()
        for call in self._calls:
            call.repeat()

    def _spoil(self) -> None:
        for tensor in self._made.values():
            tensor.fill_(float("nan") if tensor.is_floating_point() else True)


class Recording:
    """Stands for the stepper's own way of capturing."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.graphs: list[RecordedGraph] = []

    def renew(self) -> None:
        """There is no memory to begin with anew."""

    def capture(self, compute: Callable[[], None]) -> RecordedGraph:
        """Run once, then record."""
        compute()
        self.graphs.append(RecordedGraph(compute))
        return self.graphs[-1]

    @property
    def replays(self) -> int:
        """Of all graphs."""
        return sum(graph.replays for graph in self.graphs)


def tensors(tree: Any) -> list[torch.Tensor]:
    """Those in nested arguments."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def storage(tensor: torch.Tensor) -> int:
    """Where its memory begins, however much of it is viewed."""
    return tensor.untyped_storage().data_ptr()
