"""What goes wrong between regionbench and a worker."""

from __future__ import annotations

from adapters.interface import AdapterError


class WorkerError(AdapterError):
    """A worker cannot be started, died, was too slow, or broke the protocol."""


class Malformed(Exception):
    """A line cannot be used, for this reason; whoever read it adds the worker and the line."""


class OutOfStep(Malformed):
    """A line that answers no question asked: what follows it cannot be trusted either."""
