"""What is known of a checkpoint before its weights are loaded: is it whole, how large is it.

An adapter's inspector puts its findings together from the helpers here; nothing of a checkpoint
but its headers, configuration and tokenizer is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from adapters.interface import CheckpointError, CheckpointMissing, JsonScalar, Task

if TYPE_CHECKING:
    from adapters.tensor_files import TensorInfo

_ITEM_SIZES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}

Found = TypeVar("Found")


class Verdict(StrEnum):
    """How a part of a checkpoint was found."""

    OK = "ok"
    MISSING = "missing"
    MISMATCHED = "mismatched"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a checkpoint: how and as what it was found, and how to mend it."""

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything found in a checkpoint, and what running it would mean.

    ``checkpoint`` is the name a reader knows it by. ``parameters`` is their total count, 0 where
    the configuration cannot be read. ``bytes_by_dtype`` is the memory of the weights alone, by the
    type they are loaded as; see :func:`weight_bytes`. ``plan`` holds prompts, settings and base
    model by name; see :func:`planned`.
    """

    adapter: str
    checkpoint: str
    findings: tuple[Finding, ...]
    parameters: int
    bytes_by_dtype: Mapping[str, int]
    plan: Mapping[str, JsonScalar]

    @property
    def complete(self) -> bool:
        """Whether the adapter would load it."""
        return all(finding.verdict is Verdict.OK for finding in self.findings)


def look(
    subject: str, read: Callable[[], Found], describe: Callable[[Found], str]
) -> tuple[Found, Finding] | tuple[None, Finding]:
    """Read one part of a checkpoint.

    Args:
        subject: what it is called in the report.
        read: reads it; a :class:`CheckpointError` becomes a finding.
        describe: what to say of it when it can be read.

    Returns:
        What was read (``None``: it could not be) and the finding.
    """
    try:
        found = read()
        return found, Finding(subject, Verdict.OK, describe(found))
    except CheckpointError as error:
        gone = isinstance(error, CheckpointMissing)
        return None, Finding(subject, Verdict.MISSING if gone else Verdict.DAMAGED, str(error))


def inspect_part(
    subject: str,
    read_shapes: Callable[[], Mapping[str, TensorInfo]],
    expected: Mapping[str, Sequence[int]],
    prefix: str = "",
) -> Finding:
    """Compare the tensors of one part, such as the vision tower, with those it must have.

    Args:
        subject: what it is called in the report.
        read_shapes: reads tensors by official name; a :class:`CheckpointError` becomes a finding.
        expected: shapes by official name.
        prefix: only tensors whose names begin with it belong to the part.
    """
    from adapters.checkpoint import check_tensors

    shapes, finding = look(subject, read_shapes, lambda _: "")
    if shapes is None:
        return finding
    found = {name: tensor for name, tensor in shapes.items() if name.startswith(prefix)}
    wanted = {name: shape for name, shape in expected.items() if name.startswith(prefix)}
    try:
        check_tensors(subject, found, wanted)
    except CheckpointError as error:
        lacking = wanted.keys() - found.keys()
        return Finding(
            subject,
            Verdict.MISSING if lacking else Verdict.MISMATCHED,
            str(error),
            "copy or download the checkpoint again, with every weight file"
            if lacking
            else "give the folder whose weights and config.json belong together",
        )
    return Finding(subject, Verdict.OK, f"{len(found):,} tensors")


def weight_bytes(parameters: int, always_float32: int = 0) -> dict[str, int]:
    """Bytes that many parameters take, by dtype.

    Args:
        parameters: how many.
        always_float32: how many of them are kept in float32 whatever the others are in.
    """
    return {
        dtype: size * (parameters - always_float32) + 4 * always_float32
        for dtype, size in _ITEM_SIZES.items()
    }


def planned(
    prompts: Mapping[Task, str], settings: Mapping[str, JsonScalar], base_model: str | None
) -> dict[str, JsonScalar]:
    """An inspection's plan: ``prompts.<task>``, ``settings.<name>`` and ``base_model``."""
    return {
        **{f"prompts.{task.value}": prompt for task, prompt in prompts.items()},
        **{f"settings.{name}": value for name, value in settings.items()},
        "base_model": base_model,
    }
