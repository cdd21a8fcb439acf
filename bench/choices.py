"""Which models and suites a command line means, from the configuration or ad hoc."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters import registry as adapters
from adapters.interface import JsonScalar, RegionRecognizer, suggestion
from bench.config import NAME_PATTERN, Config, ModelSpec, SuiteSpec
from bench.errors import ConfigError
from suites import regions_json
from suites import registry as suites
from suites.base import Finding, Suite
from suites.registry import Prepared, Progress


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model to run, by the name its runs are stored under.

    ``words`` name it on a command line, for the manifest.
    """

    name: str
    spec: ModelSpec
    words: tuple[str, ...]

    def load(self) -> RegionRecognizer:
        """Load it; raises what :func:`adapters.load` does."""
        return adapters.load(
            self.spec.adapter,
            self.spec.checkpoint,
            preset=self.spec.preset,
            device=self.spec.device,
            dtype=self.spec.dtype,
            revision=self.spec.revision,
            seed=self.spec.seed,
            **self.spec.settings,
        )

    def declared(self) -> dict[str, JsonScalar]:
        """How it was asked for, flat; the device is left out, as answers do not depend on it."""
        values = self.spec.model_dump(
            exclude={"device", "settings", "on_request"}, exclude_none=True
        )
        return values | {f"settings.{name}": v for name, v in self.spec.settings.items()}


@dataclass(frozen=True, slots=True)
class SuiteChoice:
    """One suite to run on, by the name its runs are stored under; paths are resolved.

    ``words`` name it on a command line, for the manifest.
    """

    name: str
    kind: str
    options: Mapping[str, JsonScalar]
    words: tuple[str, ...]

    def load(self, cache: Path) -> Suite:
        """Open it, building its index the first time; raises what ``SuiteEntry.load`` does."""
        return suites.entry(self.kind).load(cache=cache, **self.options)

    def check(self) -> list[Finding]:
        """Look at its files."""
        return suites.entry(self.kind).check(**self.options)

    def prepare(self, progress: Progress) -> Prepared:
        """Convert its published files; raises what ``SuiteEntry.prepare`` does."""
        return suites.entry(self.kind).prepare(progress=progress, **self.options)


def choose_models(
    config: Config,
    names: Sequence[str],
    *,
    adapter: str | None = None,
    checkpoint: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
) -> list[ModelChoice]:
    """The models named, or an ad-hoc one, or all of the configuration but those on request.

    With ``adapter`` or ``checkpoint`` one ad-hoc model is meant; a single name then says what
    it is called.

    Raises:
        ConfigError: an unknown model, adapter or setting; the nearest names are suggested.
    """
    if adapter is not None or checkpoint is not None:
        chosen = [_ad_hoc(names, adapter, checkpoint)]
    else:
        models = config.contents.models
        chosen = [
            ModelChoice(name, configured_model(config, name), ("--model", name))
            for name in names or (n for n, spec in models.items() if not spec.on_request)
        ]
    if not chosen:
        raise ConfigError(
            f"{config.path} has no models to run; add one, name one that runs on request with "
            "--model, or give --adapter"
        )
    given = {"device": device, "dtype": dtype}
    update = {key: value for key, value in given.items() if value is not None}
    for choice in chosen:
        _check_settings(config, choice)
    words = () if dtype is None else ("--dtype", dtype)
    return [
        replace(c, spec=c.spec.model_copy(update=update), words=(*c.words, *words)) for c in chosen
    ]


def choose_suites(
    config: Config, names: Sequence[str], options: Mapping[str, str] | None = None
) -> list[SuiteChoice]:
    """The suites named (of the configuration, else registered ones), or all configured.

    ``options`` from the command line are added to each; their relative paths start in the
    working directory.

    Raises:
        ConfigError: an unknown suite or option; the nearest names are suggested.
    """
    chosen = [_suite(config, name, options or {}) for name in names or config.contents.suites]
    if not chosen:
        raise ConfigError(f"{config.path} has no suites; add one, or give --suite")
    return chosen


def configured_model(config: Config, name: str) -> ModelSpec:
    """The model of the configuration, the files its settings name located beside it."""
    spec = config.model(name)
    paths = adapters.entry(spec.adapter).path_settings
    settings = {
        key: config.located(value) if key in paths and isinstance(value, str) else value
        for key, value in spec.settings.items()
    }
    return spec.model_copy(update={"settings": settings})


def _ad_hoc(names: Sequence[str], adapter: str | None, checkpoint: str | None) -> ModelChoice:
    if adapter is None:
        raise ConfigError("--checkpoint needs --adapter to say which model it belongs to")
    if len(names) > 1:
        raise ConfigError("--adapter runs one model; give at most one --model to name it")
    given = checkpoint
    if checkpoint is not None:
        path = Path(checkpoint).expanduser()
        if path.exists():
            given = str(path.resolve())
        elif checkpoint.startswith(("/", ".", "~")):
            raise ConfigError(f"--checkpoint {checkpoint} does not exist")
    name = checked_name(names[0]) if names else _file_name(given or adapter)
    words: tuple[str, ...] = ("--model", name, "--adapter", adapter)
    if given is not None:
        words = (*words, "--checkpoint", given)
    return ModelChoice(name, ModelSpec(adapter=adapter, checkpoint=given), words)


def checked_name(name: str) -> str:
    """The name, if it can be a folder's.

    Raises:
        ConfigError: it holds other characters than letters, digits, dots, dashes, underscores.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise ConfigError(
            f"{name!r} cannot name a model: use letters, digits, dots, dashes and underscores, "
            "a letter or digit first"
        )
    return name


def _file_name(reference: str) -> str:
    path = Path(reference)
    name = path.stem if path.is_file() else re.split(r"[/\\:]", reference.rstrip("/"))[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "model"


def _check_settings(config: Config, choice: ModelChoice) -> None:
    known = adapters.entry(choice.spec.adapter).settings
    for name in choice.spec.settings:
        if name not in known:
            raise ConfigError(
                f"{config.path}: models.{choice.name}.settings: adapter "
                f"{choice.spec.adapter!r} has no setting {name!r}{suggestion(name, known)}; "
                f"it has: {', '.join(sorted(known)) or 'none'}"
            )


def _suite(config: Config, name: str, given: Mapping[str, str]) -> SuiteChoice:
    declared = name in config.contents.suites
    if declared or name not in suites.names():
        known = [*config.contents.suites, *suites.names()]
        if name not in known:
            raise ConfigError(
                f"no suite is called {name!r}{suggestion(name, known)}; "
                f"there are: {', '.join(sorted(set(known)))}"
            )
        spec = config.suite(name)
    else:
        spec = SuiteSpec(kind=name)
    entry = suites.entry(spec.kind)
    for option in (*spec.options, *given):
        if option not in entry.options:
            raise ConfigError(
                f"suite {name!r} ({spec.kind}) has no option {option!r}"
                f"{suggestion(option, entry.options)}; "
                f"it has: {', '.join(sorted(entry.options)) or 'none'}"
            )
    resolved = _located(spec.options, entry.path_options, config.folder)
    resolved |= _located({k: _scalar(v) for k, v in given.items()}, entry.path_options, Path.cwd())
    if spec.kind == regions_json.ENTRY.name and declared and resolved.get("name") is None:
        # Boards and comparisons then call it as runs, gates and baselines do.
        resolved["name"] = name
    words = [word for key, value in given.items() for word in ("--option", f"{key}={value}")]
    return SuiteChoice(name, spec.kind, resolved, ("--suite", name, *words))


def _located(
    options: Mapping[str, JsonScalar], paths: frozenset[str], folder: Path
) -> dict[str, JsonScalar]:
    return {
        name: str(folder / Path(value).expanduser())
        if name in paths and isinstance(value, str)
        else value
        for name, value in options.items()
    }


def _scalar(text: str) -> JsonScalar:
    """A command line's value as YAML would read it: ``3`` a number, ``true`` a flag."""
    from bench.yaml_file import parse_yaml

    try:
        value = parse_yaml(text).values
    except ValueError as error:
        raise ConfigError(f"the value {text!r} {error}") from error
    return value if isinstance(value, (int, float, bool)) or value is None else text
