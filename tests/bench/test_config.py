from __future__ import annotations

from pathlib import Path

import pytest

from bench.config import PACKAGED, load_config
from bench.errors import ConfigError
from tests.bench.kinds import Bench


def write(folder: Path, text: str) -> Path:
    path = folder / "bench.yaml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value)


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    path = write(tmp_path, "models:\n  a:\n    adapter: x\n    chekpoint: y\n")
    message = refusal(path)
    assert f"{path}, line 4" in message
    assert "`models.a.chekpoint`" in message
    assert "did you mean 'checkpoint'" in message


def test_an_unknown_section_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "schema_version: 1\nmodel: {}\n"))
    assert "line 2: unknown key `model`; did you mean 'models'" in message


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "caches: x\nmlflow: {enabled: perhaps}\n"))
    assert "line 1" in message
    assert "line 2: `mlflow.enabled`" in message


def test_a_model_without_an_adapter_is_refused(tmp_path: Path) -> None:
    assert "`models.a.adapter`: field required" in refusal(
        write(tmp_path, "models:\n  a: {checkpoint: x}\n")
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("models: [", "is not YAML"),
        ("- a\n", "must be a mapping"),
        ("schema_version: 2\n", "schema_version is 2"),
        ("cache: a\ncache: b\n", "line 2: the key 'cache' stands twice"),
        ("models: {'../up': {adapter: a}}\n", "../up"),
        ("suites: {a: {kind: x, suite: y}}\n", "not both"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in refusal(write(tmp_path, text))


@pytest.mark.parametrize("name", ["instances", "ways", "measure", "decode", "tiles"])
def test_a_sweep_that_would_measure_nothing_is_refused(tmp_path: Path, name: str) -> None:
    message = refusal(write(tmp_path, f"sweeps:\n  a:\n    models: {{b: {{}}}}\n    {name}: []\n"))
    assert f"line 4: `sweeps.a.{name}`" in message
    assert "nothing would be measured; name at least one, or leave it out for " in message


def test_a_sweep_without_models_is_refused(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, "sweeps: {a: {models: {}}}\n"))
    assert message.endswith("nothing would be measured; name at least one")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("instances: [1, 2, 1]", "1"),
        ("ways: [alone, alone]", "alone"),
        ("measure: [cost, cost]", "cost"),
        ("decode: [forced, natural, forced, natural]", "forced, natural"),
        ("tiles: [12, 6, 12]", "12"),
    ],
)
def test_a_sweep_that_would_measure_twice_is_refused(tmp_path: Path, given: str, told: str) -> None:
    message = refusal(write(tmp_path, f"sweeps:\n  a:\n    models: {{b: {{}}}}\n    {given}\n"))
    assert f"line 4: `sweeps.a.{given.partition(':')[0]}`" in message
    assert f"named more than once: {told}; name each once" in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml cannot be read" in refusal(tmp_path / "nowhere.yaml")


def test_relative_paths_start_in_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    path = write(
        tmp_path,
        "runs: stored\nmodels:\n  a: {adapter: x, checkpoint: weights}\n"
        "  b: {adapter: x, checkpoint: org/name}\n  c: {adapter: x, checkpoint: 'bundled:tiny'}\n",
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    config = load_config(Path("..") / path.name)
    assert config.runs.resolve() == tmp_path / "stored"
    assert Path(str(config.model("a").checkpoint)).resolve() == tmp_path / "weights"
    assert config.model("b").checkpoint == "org/name"
    assert config.model("c").checkpoint == "bundled:tiny"


def test_the_packaged_configurations_paths_start_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config()
    assert config.path == PACKAGED
    assert config.runs == tmp_path / "runs"


def test_the_file_in_the_working_directory_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "models: {mine: {adapter: x}}\n")
    monkeypatch.chdir(tmp_path)
    assert list(load_config().contents.models) == ["mine"]


def test_a_suite_is_of_its_own_name_unless_it_says_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path, "suites:\n  lvis: {root: d}\n  mine: {kind: regions-json}\n  shapes:\n")
    config = load_config(path)
    assert (config.suite("lvis").kind, config.suite("lvis").options) == ("lvis", {"root": "d"})
    assert config.suite("mine").kind == "regions-json"
    assert config.suite("shapes").kind == "shapes"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--model", "onne"], "no 'onne' under `models`; did you mean 'one'"),
        (["--suite", "strips"], "no suite is called 'strips'; did you mean 'stripes'"),
        (["--adapter", "fakee", "--checkpoint", "c"], "did you mean 'fake'"),
        (["--option", "image=3"], "no option 'image'; did you mean 'images'"),
        (["--checkpoint", "c"], "--checkpoint needs --adapter"),
        (["--option", "images"], "not of the form KEY=VALUE"),
        (["--limit", "0"], "--limit"),
        (["--modle", "one"], "No such option"),
    ],
)
def test_bad_usage_is_told_with_the_nearest_name(
    bench: Bench, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    assert bench("run", *words) == 2
    shown = capsys.readouterr()
    assert complaint in shown.err
    assert "Traceback" not in shown.err


def test_an_unknown_setting_of_a_configured_model_is_refused(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workplace / "bench.yaml"
    path.write_text(path.read_text().replace("tone:", "tune:"))
    assert bench("run") == 2
    assert "models.two.settings" in (err := capsys.readouterr().err)
    assert "did you mean 'tone'" in err


def test_every_option_is_an_environment_variable(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_RUN_LIMIT", "2")
    monkeypatch.setenv("BENCH_RUN_MODEL", "one")
    monkeypatch.setenv("BENCH_RUN_NO_REPORT", "1")
    assert bench("run", "--json") == 0
    assert '"expected": 5' in capsys.readouterr().out


def test_bench_config_names_the_configuration(
    bench: Bench, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = workplace / "sub" / "other.yaml"
    other.parent.mkdir()
    other.write_text(
        "models: {solo: {adapter: fake, checkpoint: c}}\n"
        "suites: {s: {kind: fakes, root: ../pictures}}\n"
        "mlflow: {enabled: false}\n"
    )
    monkeypatch.setenv("BENCH_CONFIG", str(other))
    assert bench("run", "--no-report") == 0
    assert (workplace / "sub" / "runs" / "s" / "solo").is_dir()
