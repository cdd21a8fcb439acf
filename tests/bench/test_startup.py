"""What starting costs, and which room knows which."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "mlflow", "datasets", "pandas")
ROOMS = ("adapters", "bench", "metrics", "reports", "suites")
MAY_IMPORT = {
    "adapters": {"adapters"},
    "metrics": {"metrics"},
    "suites": {"suites", "adapters.interface", "metrics"},
    "reports": {"reports"},
    "bench": set(ROOMS),
}
SCRIPT = """
import sys, json
from bench import cli
code = cli.run(sys.argv[1:])
print(json.dumps([code, sorted(set(m.split(".")[0] for m in sys.modules))]))
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["list"],
        *([verb, "--help"] for verb in ("run", "certify", "doctor", "efficiency")),
        *([verb, "--help"] for verb in ("gate", "baseline", "compare")),
    ],
    ids=" ".join,
)
def test_light_verbs_load_no_framework(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert set(modules).isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["adapters", "adapters.interface", "suites", "suites.base"])
def test_the_contracts_load_no_framework(module: str) -> None:
    script = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(repository: Path, room: str) -> None:
    trespasses = [
        f"{path.relative_to(repository)} imports {name}"
        for path in sorted((repository / room).rglob("*.py"))
        for name in imported(path)
        if name.split(".")[0] in ROOMS and not allowed(name, MAY_IMPORT[room])
    ]
    assert trespasses == []


@pytest.mark.parametrize("module", ["config", "tolerances", "cli", "github_runner"])
def test_what_every_verb_needs_imports_none_of_them(repository: Path, module: str) -> None:
    names = imported(repository / "bench" / f"{module}.py")
    assert [name for name in names if name.startswith(("bench.gating", "bench.commands."))] == []


def allowed(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def imported(path: Path) -> list[str]:
    """Absolute names of everything a file imports, also inside functions."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} uses a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_nothing_unpickles_or_runs_remote_code(repository: Path) -> None:
    found = [
        f"{path.relative_to(repository)}, line {call.lineno}: {ast.unparse(call.func)}"
        for room in ROOMS
        for path in sorted((repository / room).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and runs_foreign_code(call)
    ]
    assert found == []


def runs_foreign_code(call: ast.Call) -> bool:
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    function = ast.unparse(call.func)
    if function == "torch.load":
        return options.get("weights_only") != "True"
    return function.startswith("pickle.load") or options.get("trust_remote_code") == "True"
