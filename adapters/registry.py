"""Adapters by name: ours and third parties', registered as entry points.

An entry point of group ``regionbench.adapters`` names a module-level :class:`AdapterEntry`.
Reading the registry imports no model code; only :meth:`AdapterEntry.load` does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from adapters.interface import (
    JsonScalar,
    RegionRecognizer,
    SettingError,
    Task,
    UnknownAdapter,
    suggestion,
)

GROUP = "regionbench.adapters"


@dataclass(frozen=True, slots=True)
class AdapterEntry:
    """What is known of an adapter before its code is loaded.

    ``loader`` is ``"module:function"``; the function takes ``(checkpoint, *, preset, device,
    dtype, revision, seed, **settings)``. ``settings`` maps each setting's name to one line of
    help; ``presets`` the published sizes that can be built with random weights; ``bundled`` the
    checkpoints that ship with the package, as folders; ``hub_ids`` the published checkpoints.
    """

    name: str
    summary: str
    loader: str
    tasks: tuple[Task, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    hub_ids: tuple[str, ...] = ()
    bundled: Mapping[str, Path] = field(default_factory=dict)
    paper: str | None = None
    licence: str | None = None

    def load(
        self,
        checkpoint: str | Path | None = None,
        *,
        preset: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        revision: str | None = None,
        seed: int = 0,
        **settings: JsonScalar,
    ) -> RegionRecognizer:
        """Load a checkpoint, or build a preset with random weights; see :func:`load`."""
        unknown = sorted(set(settings) - set(self.settings))
        if unknown:
            raise SettingError(
                f"adapter {self.name!r} has no setting {unknown[0]!r}"
                + suggestion(unknown[0], self.settings)
                + f"; it has: {', '.join(sorted(self.settings)) or 'none'}"
            )
        if (checkpoint is None) == (preset is None) and self.presets:
            raise SettingError(f"adapter {self.name!r}: give either a checkpoint or a preset")
        if isinstance(checkpoint, str) and checkpoint.startswith("bundled:"):
            name = checkpoint.removeprefix("bundled:")
            if name not in self.bundled:
                raise SettingError(
                    f"adapter {self.name!r} bundles no checkpoint {name!r}"
                    + suggestion(name, self.bundled)
                )
            checkpoint = self.bundled[name]
        module, _, function = self.loader.partition(":")
        loader = getattr(importlib.import_module(module), function)
        return cast(
            RegionRecognizer,
            loader(
                checkpoint,
                preset=preset,
                device=device,
                dtype=dtype,
                revision=revision,
                seed=seed,
                **settings,
            ),
        )


def entries() -> dict[str, AdapterEntry]:
    """Every installed adapter by name, sorted.

    Raises:
        UnknownAdapter: an entry point does not lead to an :class:`AdapterEntry`.
    """
    found: dict[str, AdapterEntry] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        entry: Any = point.load()
        if not isinstance(entry, AdapterEntry):
            raise UnknownAdapter(
                f"entry point {point.name!r} = {point.value!r} is not an AdapterEntry; "
                "ask its package's maintainers"
            )
        found[point.name] = entry
    return found


def entry(name: str) -> AdapterEntry:
    """The adapter called ``name``.

    Raises:
        UnknownAdapter: no such adapter; the message suggests the nearest names.
    """
    known = entries()
    if name not in known:
        raise UnknownAdapter(
            f"no adapter is called {name!r}{suggestion(name, known)} "
            f"(installed: {', '.join(known) or 'none'})"
        )
    return known[name]


def load(
    name: str,
    checkpoint: str | Path | None = None,
    *,
    preset: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    seed: int = 0,
    **settings: JsonScalar,
) -> RegionRecognizer:
    """Load a model by adapter name.

    Args:
        name: adapter name as on the command line, such as ``"wow-seg"``.
        checkpoint: folder, Hugging Face Hub id, or ``"bundled:<name>"``.
        preset: published size to build with random weights instead of a checkpoint.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"meta"`` …
        dtype: ``"auto"`` (bfloat16 on an accelerator, float32 on a CPU) or a torch dtype's name.
        revision: Hub revision of the checkpoint.
        seed: seed of a preset's random weights.
        **settings: the adapter's own settings.

    Raises:
        UnknownAdapter: no such adapter.
        SettingError: an unknown setting, or a value that cannot be used.
        CheckpointError: the checkpoint is missing, incomplete, or not this model's.
        DeviceError: the device does not exist here.
    """
    return entry(name).load(
        checkpoint,
        preset=preset,
        device=device,
        dtype=dtype,
        revision=revision,
        seed=seed,
        **settings,
    )
