"""Adapters by name: ours and third parties', registered as entry points.

An entry point of group ``regionbench.adapters`` names a module-level :class:`AdapterEntry`.
Reading the registry imports no model code; only :meth:`AdapterEntry.load` does.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from adapters.conformance import Comparison
from adapters.cuts import Cut
from adapters.inspection import Inspection
from adapters.interface import (
    JsonScalar,
    RegionRecognizer,
    SettingError,
    Task,
    UnknownAdapter,
    suggestion,
)

if TYPE_CHECKING:
    from adapters.costs import PhaseCosts, Way

GROUP = "regionbench.adapters"


@dataclass(frozen=True, slots=True)
class AdapterEntry:
    """What is known of an adapter before its code is loaded.

    ``loader`` is ``"module:function"``; the function takes ``(checkpoint, *, preset, device,
    dtype, revision, seed, **settings)``. ``settings`` maps each setting's name to one line of
    help; ``presets`` the published sizes that can be built with random weights; ``bundled`` the
    checkpoints that ship with the package, as folders; ``hub_ids`` the published checkpoints;
    ``model_types`` what ``model_type`` says in the ``config.json`` of its checkpoints.

    ``path_settings`` are those settings that name files; relative ones start in the folder of the
    configuration that gives them.

    ``inspector``, likewise ``"module:function"``, takes ``(checkpoint, *, revision, **settings)``
    and gives an :class:`~adapters.inspection.Inspection`; ``certifier`` takes a folder of golden
    fixtures and yields :class:`~adapters.conformance.Comparison`; ``fixtures`` is the name of
    that folder among the project's own.

    ``coster``, likewise, takes ``(preset, *, instances, tokens, size, dtype, **settings)`` and
    gives the :class:`~adapters.costs.PhaseCosts` of one query; ``cutter`` takes ``(size,
    **settings)`` and gives the :class:`~adapters.cuts.Cut` of a picture.
    """

    name: str
    summary: str
    loader: str
    tasks: tuple[Task, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    path_settings: frozenset[str] = frozenset()
    presets: tuple[str, ...] = ()
    hub_ids: tuple[str, ...] = ()
    bundled: Mapping[str, Path] = field(default_factory=dict)
    model_types: tuple[str, ...] = ()
    inspector: str | None = None
    certifier: str | None = None
    fixtures: str | None = None
    coster: str | None = None
    cutter: str | None = None
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
        self._check_settings(settings)
        if (checkpoint is None) == (preset is None) and self.presets:
            fault = "needs a checkpoint or" if preset is None else "was given both a checkpoint and"
            raise SettingError(
                f"adapter {self.name!r} {fault} a preset: give --checkpoint, or in bench.yaml "
                "either `checkpoint:` or, for random weights, `preset:`, one of "
                f"{', '.join(self.presets)}"
            )
        return cast(
            RegionRecognizer,
            _named(self.loader)(
                self._located(checkpoint),
                preset=preset,
                device=device,
                dtype=dtype,
                revision=revision,
                seed=seed,
                **settings,
            ),
        )

    def inspect(
        self, checkpoint: str | Path, *, revision: str | None = None, **settings: JsonScalar
    ) -> Inspection:
        """Say what a checkpoint holds and lacks, without loading its weights.

        Raises:
            SettingError: this adapter cannot inspect, or a setting cannot be used.
            CheckpointError: there is no such checkpoint.
        """
        self._check_settings(settings)
        if self.inspector is None:
            raise SettingError(f"adapter {self.name!r} cannot inspect a checkpoint")
        inspect = _named(self.inspector)
        return cast(Inspection, inspect(self._located(checkpoint), revision=revision, **settings))

    def certify(self, folder: Path) -> Iterator[Comparison]:
        """Compare the adapter with golden fixtures, comparison by comparison.

        Raises:
            SettingError: this adapter has no fixtures to be compared with.
            FixtureError: the folder is not a fixture of this adapter.
        """
        if self.certifier is None:
            raise SettingError(f"adapter {self.name!r} has no certification")
        return cast(Iterator[Comparison], _named(self.certifier)(folder))

    def cost(
        self,
        preset: str,
        *,
        instances: int,
        tokens: int,
        size: tuple[int, int],
        way: Way,
        dtype: str = "auto",
        **settings: JsonScalar,
    ) -> PhaseCosts:
        """Count the operations of one picture with its regions, without weights.

        Args:
            preset: the model's size.
            instances: regions of the picture, at least 1.
            tokens: new tokens of every answer, at least 1.
            size: width and height of the picture in pixels.
            way: all regions in one query ``together``, or each ``alone`` in one of its own.
            dtype: of the weights and so of keys and values; ``"auto"`` is bfloat16.
            **settings: the adapter's own settings.

        Raises:
            SettingError: this adapter cannot count, a setting cannot be used, there is nothing
                to count, or prompt and answers exceed the model's context.
        """
        self._check_settings(settings)
        if self.coster is None:
            raise SettingError(f"adapter {self.name!r} cannot compute its cost")
        if min(instances, tokens, *size) < 1:
            raise SettingError(
                f"nothing to count: {instances} regions with {tokens} tokens each, of a picture "
                f"of {size[0]}x{size[1]}; each must be at least 1"
            )
        asked = instances if way == "together" else 1
        one = _counted(
            self.coster, preset, instances=asked, tokens=tokens, size=size, dtype=dtype, **settings
        )
        return one.repeated(instances // asked)

    def cut(self, size: tuple[int, int], **settings: JsonScalar) -> Cut:
        """What the model makes of a picture of ``size`` pixels, width and height.

        Raises:
            SettingError: a setting cannot be used.
        """
        self._check_settings(settings)
        if self.cutter is None:
            return Cut()
        return cast(Cut, _named(self.cutter)(size, **settings))

    def _check_settings(self, given: Mapping[str, JsonScalar]) -> None:
        unknown = sorted(set(given) - set(self.settings))
        if unknown:
            raise SettingError(
                f"adapter {self.name!r} has no setting {unknown[0]!r}"
                + suggestion(unknown[0], self.settings)
                + f"; it has: {', '.join(sorted(self.settings)) or 'none'}"
            )

    def _located(self, checkpoint: str | Path | None) -> str | Path | None:
        """The checkpoint, with ``bundled:`` resolved to its folder."""
        if not isinstance(checkpoint, str) or not checkpoint.startswith("bundled:"):
            return checkpoint
        name = checkpoint.removeprefix("bundled:")
        if name not in self.bundled:
            raise SettingError(
                f"adapter {self.name!r} bundles no checkpoint {name!r}"
                + suggestion(name, self.bundled)
            )
        return self.bundled[name]


@lru_cache(maxsize=None, typed=True)
def _counted(coster: str, preset: str, **asked: Any) -> PhaseCosts:
    """A query's cost, counted once in a process: regions asked alone need that of one again."""
    return cast("PhaseCosts", _named(coster)(preset, **asked))


def _named(reference: str) -> Any:
    """The function that ``"module:function"`` names."""
    module, _, function = reference.partition(":")
    return getattr(importlib.import_module(module), function)


def names() -> list[str]:
    """Names of every installed adapter, sorted; nothing is imported."""
    return sorted(point.name for point in entry_points(group=GROUP))


def adapter_for(model_type: str) -> str | None:
    """The adapter whose checkpoints have this ``model_type`` in their ``config.json``.

    Adapters that cannot be imported are passed over.
    """
    for name in names():
        try:
            found = entry(name)
        except UnknownAdapter:
            continue
        if model_type in found.model_types:
            return name
    return None


def entry(name: str) -> AdapterEntry:
    """The adapter called ``name``.

    Raises:
        UnknownAdapter: no such adapter (the message suggests the nearest names), or its entry
            point leads elsewhere than to a :class:`AdapterEntry`.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UnknownAdapter(
            f"no adapter is called {name!r}{suggestion(name, points)} "
            f"(installed: {', '.join(sorted(points)) or 'none'})"
        )
    point = points[name]
    try:
        found: Any = point.load()
    except (ImportError, AttributeError) as error:
        raise UnknownAdapter(
            f"adapter {name!r} is registered as {point.value!r}, which cannot be loaded: {error}"
        ) from error
    if not isinstance(found, AdapterEntry):
        raise UnknownAdapter(
            f"adapter {name!r} is registered as {point.value!r}, which is not an AdapterEntry; "
            "ask its package's maintainers"
        )
    return found


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
