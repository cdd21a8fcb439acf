"""``bench.yaml``: which models, suites, folders and servers a command works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from adapters.interface import JsonScalar, suggestion
from bench.errors import ConfigError
from bench.tolerances import GivenShare, GivenTolerance, Tolerance, Unit
from bench.yaml_file import YamlFile, read_yaml

FILE_NAME = "bench.yaml"
SCHEMA_VERSION = 1
PACKAGED = Path(__file__).with_name("default.yaml")

Spec = TypeVar("Spec")
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class ShowPictures(StrEnum):
    """Whose pictures the site shows: of suites whose card allows it, of all, or of none."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderSpec(_Section):
    """The sentence encoder; both ``None`` is the protocols' own, at its pinned revision."""

    model: str | None = None
    revision: str | None = None


class MlflowSpec(_Section):
    """Where runs are logged; ``uri`` ``None`` is ``mlflow.db`` in the working directory."""

    enabled: bool = True
    uri: str | None = None
    experiment: str = "regionbench"


class ModelSpec(_Section):
    """One model: an adapter with a checkpoint, or a preset with random weights.

    One that is ``on_request`` runs only when it is named.
    """

    adapter: str
    checkpoint: str | None = None
    preset: str | None = None
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    seed: int = 0
    on_request: bool = False
    settings: dict[str, JsonScalar] = Field(default_factory=dict)


class SuiteSpec(_Section):
    """One suite: a registered suite under ``kind`` (or ``suite``), everything else its options.

    An empty ``kind`` stands for the suite's own name in the file.
    """

    kind: str = ""
    options: dict[str, JsonScalar] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, values: Any) -> Any:
        if values is None:
            return {}
        if not isinstance(values, Mapping) or isinstance(values.get("options"), Mapping):
            return values
        named = {key: values[key] for key in ("kind", "suite") if key in values}
        if len(named) == 2:
            raise ValueError("give either `kind` or `suite`, not both")
        options = {key: value for key, value in values.items() if key not in named}
        return {"kind": next(iter(named.values()), ""), "options": options}


class SweepModel(_Section):
    """One model of an efficiency sweep: a checkpoint, or a preset with random weights.

    An empty one stands for the model of the same name under ``models``.
    """

    adapter: str = ""
    checkpoint: str | None = None
    preset: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    seed: int = 0
    settings: dict[str, JsonScalar] = Field(default_factory=dict)


class SweepSpec(_Section):
    """One efficiency sweep: which models are asked about how many regions, and how.

    ``ways`` asks all regions of a picture ``together`` or each ``alone``; ``decode`` lets answers
    stop by themselves (``natural``) or makes each ``tokens`` long (``forced``); ``picture`` is
    width and height, ``tiles`` the most tiles that models which tile cut it into. Models that fit
    into memory together take turns, unless ``interleave`` is false. No list may be empty, or name
    anything twice.
    """

    models: dict[Name, SweepModel]
    instances: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2, 4, 8, 16, 32)
    ways: tuple[Literal["together", "alone"], ...] = ("together", "alone")
    measure: tuple[Literal["cost", "speed"], ...] = ("cost", "speed")
    decode: tuple[Literal["natural", "forced"], ...] = ("forced",)
    tokens: Annotated[int, Field(ge=1)] = 32
    tiles: tuple[Annotated[int, Field(ge=1)], ...] = (12,)
    picture: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (640, 480)
    interleave: bool = True

    @field_validator("models", "instances", "ways", "measure", "decode", "tiles")
    @classmethod
    def _check_list(cls, values: Collection[object], field: ValidationInfo) -> Collection[object]:
        if not values:
            known = cls.model_fields[str(field.field_name)]
            usual = "" if known.is_required() else f", or leave it out for {_listed(known.default)}"
            raise ValueError(f"nothing would be measured; name at least one{usual}")
        twice = [value for value, times in Counter(iter(values)).items() if times > 1]
        if twice:
            raise ValueError(f"named more than once: {_listed(twice)}; name each once")
        return values


class MetricGate(_Section):
    """How far one metric may fall; ``None`` is the gate's own.

    A tolerance alone may stand in the place of the mapping.
    """

    tolerance: GivenTolerance | None = None
    significance: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_tolerance(cls, values: Any) -> Any:
        if values is None:
            return {}
        return values if isinstance(values, Mapping) else {"tolerance": values}


class SpeedGate(_Section):
    """How much slower a sweep's points may be than the baseline's; ``None`` gates no speed.

    ``instances`` are the numbers of regions that are looked at, all where there are none. A speed
    that cannot be compared fails the gate only where it is ``required``.
    """

    tolerance: GivenShare | None = None
    instances: tuple[Annotated[int, Field(ge=1)], ...] = ()
    required: bool = False

    @model_validator(mode="after")
    def _check_required(self) -> SpeedGate:
        if self.required and self.tolerance is None:
            raise ValueError("a required speed needs a tolerance, such as `tolerance: 10 %`")
        return self


class GateSpec(_Section):
    """When ``bench gate`` lets runs pass.

    ``tolerance`` is of every suite's main metric; ``metrics`` names others, of the suite's main
    protocol, or as ``METRIC@PROTOCOL``. With ``significance`` a drop has to be statistically real.
    """

    baseline: Path = Path("baseline.json")
    tolerance: GivenTolerance = Tolerance(0.5, Unit.POINTS)
    significance: bool = True
    allow_inconclusive: bool = False
    metrics: dict[str, MetricGate] = Field(default_factory=dict)
    speed: SpeedGate = SpeedGate()


class PublishSpec(_Section):
    """Where ``bench publish`` pushes the site to.

    ``url`` is where the site is then served; exported results link to it.
    """

    remote: str = "origin"
    branch: str = "gh-pages"
    folder: str = ""
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None


class ConfigFile(_Section):
    """The file's contents, validated."""

    schema_version: int = SCHEMA_VERSION
    cache: Path = Path(".regionbench")
    runs: Path = Path("runs")
    site: Path = Path("site")
    site_pictures: ShowPictures = ShowPictures.AUTO
    certificates: Path = Path("certificates")
    encoder: EncoderSpec = EncoderSpec()
    mlflow: MlflowSpec = MlflowSpec()
    models: dict[Name, ModelSpec] = Field(default_factory=dict)
    suites: dict[Name, SuiteSpec] = Field(default_factory=dict)
    efficiency: Path = Path("efficiency")
    sweeps: dict[Name, SweepSpec] = Field(default_factory=dict)
    gate: GateSpec = GateSpec()
    publish: PublishSpec = PublishSpec()


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration in effect: its contents, its file, and where relative paths start."""

    path: Path
    folder: Path
    contents: ConfigFile

    @property
    def cache(self) -> Path:
        """Folder of built indexes and generated data."""
        return self.folder / self.contents.cache

    @property
    def runs(self) -> Path:
        """Folder of stored runs."""
        return self.folder / self.contents.runs

    @property
    def site(self) -> Path:
        """Folder the reports are written to."""
        return self.folder / self.contents.site

    @property
    def certificates(self) -> Path:
        """Folder of the adapters' certificates."""
        return self.folder / self.contents.certificates

    @property
    def efficiency(self) -> Path:
        """Folder of efficiency records."""
        return self.folder / self.contents.efficiency

    @property
    def baseline(self) -> Path:
        """The gate's baseline file."""
        return self.folder / self.contents.gate.baseline

    def model(self, name: str) -> ModelSpec:
        """The model called ``name``, its checkpoint resolved against the file's folder.

        Raises:
            ConfigError: the file has no such model.
        """
        spec = _named(self, "models", name, self.contents.models)
        return spec.model_copy(update={"checkpoint": self.located(spec.checkpoint)})

    def suite(self, name: str) -> SuiteSpec:
        """The suite called ``name``, with its options as written.

        Raises:
            ConfigError: the file has no such suite.
        """
        spec = _named(self, "suites", name, self.contents.suites)
        return spec if spec.kind else spec.model_copy(update={"kind": name})

    def located(self, reference: str | None) -> str | None:
        """A reference that names a file beside the configuration as that file's path.

        Hub ids and ``bundled:`` names stay as they are.
        """
        if reference is None or reference.startswith("bundled:"):
            return reference
        path = self.folder / Path(reference).expanduser()
        return str(path) if path.exists() or reference.startswith((".", "~")) else reference


def find_config(given: Path | None = None) -> Path:
    """The file in effect: the one given, else ``bench.yaml`` here, else the packaged one."""
    if given is not None:
        return given
    here = Path.cwd() / FILE_NAME
    return here if here.is_file() else PACKAGED


def load_config(given: Path | None = None) -> Config:
    """Read and validate the configuration in effect.

    Relative paths of the packaged configuration start in the working directory, those of any
    other in its own folder.

    Raises:
        ConfigError: the file cannot be read, or a key or value cannot be used; the message
            names the file, the line, the key path, and the nearest known key.
    """
    path = find_config(given)
    parsed = read_yaml(path)
    values = {} if parsed.values is None else parsed.values
    if not isinstance(values, dict):
        raise ConfigError(f"configuration {path} must be a mapping of sections")
    _refuse_other_version(path, values)
    try:
        contents = ConfigFile.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(path, parsed, error)) from error
    folder = Path.cwd() if path == PACKAGED else path.absolute().parent
    return Config(path, folder, contents)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _refuse_other_version(path: Path, values: Mapping[str, Any]) -> None:
    version = values.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise ConfigError(
            f"{path}: schema_version is {version!r}, this regionbench reads {SCHEMA_VERSION}; "
            "install the version the file was written for"
        )


def _named(config: Config, section: str, name: str, known: Mapping[str, Spec]) -> Spec:
    try:
        return known[name]
    except KeyError:
        raise ConfigError(
            f"{config.path} has no {name!r} under `{section}`{suggestion(name, known)}; "
            f"it has: {', '.join(sorted(known)) or 'none'}"
        ) from None


def _explain(path: Path, parsed: YamlFile, error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        location = [part for part in problem["loc"] if part != "[key]"]
        line = parsed.line(location)
        where = f"{path}, line {line}" if line else str(path)
        key_path = ".".join(str(part) for part in location)
        if problem["type"] == "extra_forbidden":
            known = _known_keys(location[:-1])
            what = f"unknown key `{key_path}`{suggestion(str(location[-1]), known)}; " + (
                f"known here: {', '.join(known)}"
            )
        else:
            what = f"`{key_path}`: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
        lines.append(f"{where}: {what}")
    return "\n".join(lines)


def _known_keys(location: Sequence[str | int]) -> list[str]:
    model: Any = ConfigFile
    parts = iter(location)
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
        else:
            model = get_args(annotation)[-1]
            next(parts, None)
    return sorted(model.model_fields)
