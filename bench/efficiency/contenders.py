"""Which models a sweep measures, and as what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters import registry
from adapters.interface import AdapterCard, AdapterError, JsonScalar, Task, suggestion
from adapters.registry import AdapterEntry
from bench.choices import ModelChoice, choose_models
from bench.config import Config, ModelSpec, SweepModel, SweepSpec
from bench.efficiency.records import Subject
from bench.errors import ConfigError

_TILES = "max_tiles"  # the setting of adapters that cut pictures into tiles


@dataclass(frozen=True, slots=True)
class Contender:
    """One model of a sweep, at one number of tiles where it cuts any."""

    name: str
    entry: AdapterEntry
    choice: ModelChoice

    @property
    def spec(self) -> ModelSpec:
        """How it is loaded."""
        return self.choice.spec

    @property
    def title(self) -> str:
        """Its name, and its tiles where it cuts any, for messages."""
        tiles = self.spec.settings.get(_TILES)
        return self.name if tiles is None else f"{self.name}, {_TILES} {tiles}"

    def card_without_weights(self, dtype: str) -> AdapterCard | None:
        """The card of a preset in ``dtype``; ``None`` where only loading tells.

        Presets are built on the meta device, which takes no memory. Adapters that cannot do that,
        and checkpoints, whose digest is of their files, have to be loaded.
        """
        if self.spec.preset is None:
            return None
        spec = self.spec.model_copy(update={"device": "meta", "dtype": dtype})
        try:
            return ModelChoice(self.name, spec, ()).load().card
        except AdapterError:
            return None

    def subject(self, card: AdapterCard) -> Subject:
        """The model as records name it."""
        return Subject(
            model=self.name,
            adapter=card.name,
            revision=card.revision,
            checkpoint=card.checkpoint,
            checkpoint_digest=card.checkpoint_digest,
            random_weights=self.spec.preset is not None,
            dtype=card.dtype,
            settings=dict(card.settings),
            parameters=card.parameters,
            prompt=card.prompts.get(self.task(card), ""),
        )

    def task(self, card: AdapterCard) -> Task:
        """What is asked for: the first of the adapter's tasks that has a prompt."""
        prompted = [task for task in self.entry.tasks if task in card.prompts]
        return (prompted or [*card.prompts, *self.entry.tasks])[0]


def choose_sweep(config: Config, name: str | None) -> tuple[str, SweepSpec]:
    """The sweep called ``name``, or the first of the configuration.

    Raises:
        ConfigError: there is none.
    """
    known = config.contents.sweeps
    if not known:
        raise ConfigError(f"{config.path} has no sweeps; add one under `sweeps`")
    chosen = name if name is not None else next(iter(known))
    if chosen not in known:
        raise ConfigError(
            f"{config.path} has no {chosen!r} under `sweeps`{suggestion(chosen, known)}; "
            f"it has: {', '.join(known)}"
        )
    return chosen, known[chosen]


def contenders(
    config: Config, name: str, sweep: SweepSpec, models: Sequence[str], device: str | None
) -> list[Contender]:
    """The models of a sweep, or those of them that are named, each at every number of tiles.

    One that is named twice is there once: it cannot take turns with itself.

    Raises:
        ConfigError: the sweep has no such model, or a model has no such preset or setting.
        UnknownAdapter: a model's adapter is not installed.
    """
    for model in models:
        if model not in sweep.models:
            raise ConfigError(
                f"sweep {name!r} has no model {model!r}{suggestion(model, sweep.models)}; "
                f"it has: {', '.join(sweep.models) or 'none'}"
            )
    return [
        contender
        for model in dict.fromkeys(models or sweep.models)
        for contender in _at_every_tiling(config, name, sweep, model, device)
    ]


def _at_every_tiling(
    config: Config, sweep: str, spec: SweepSpec, model: str, device: str | None
) -> Iterator[Contender]:
    choice = _choice(config, sweep, model, spec.models[model])
    entry = registry.entry(choice.spec.adapter)
    tilings: list[dict[str, JsonScalar]] = [{}]
    if _TILES in entry.settings and _TILES not in choice.spec.settings:
        tilings = [{_TILES: tiles} for tiles in spec.tiles]
    for tiling in tilings:
        update: dict[str, object] = {"settings": choice.spec.settings | tiling}
        if device is not None:
            update["device"] = device
        spec_here = choice.spec.model_copy(update=update)
        yield Contender(model, entry, ModelChoice(model, spec_here, choice.words))


def _choice(config: Config, sweep: str, name: str, given: SweepModel) -> ModelChoice:
    """A model as the sweep describes it, over what ``models`` says where it names no adapter."""
    if given.adapter:
        spec = ModelSpec(**given.model_dump())
        spec = spec.model_copy(update={"checkpoint": config.located(spec.checkpoint)})
        choice = ModelChoice(name, spec, ("--model", name))
    else:
        (choice,) = choose_models(config, [name])
        update = given.model_dump(include=given.model_fields_set)
        choice = ModelChoice(name, choice.spec.model_copy(update=update), choice.words)
    _check(f"{config.path}: sweeps.{sweep}.models.{name}", choice.spec)
    return choice


def _check(where: str, spec: ModelSpec) -> None:
    entry = registry.entry(spec.adapter)
    for setting in spec.settings:
        if setting not in entry.settings:
            raise ConfigError(
                f"{where}: adapter {entry.name!r} has no setting {setting!r}"
                f"{suggestion(setting, entry.settings)}; "
                f"it has: {', '.join(sorted(entry.settings)) or 'none'}"
            )
    if spec.preset is not None and spec.preset not in entry.presets:
        raise ConfigError(
            f"{where}: adapter {entry.name!r} has no preset {spec.preset!r}"
            f"{suggestion(spec.preset, entry.presets)}; "
            f"it has: {', '.join(entry.presets) or 'none'}"
        )
