"""The README's commands run, its code works, its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest
import yaml
from skimage import data

from tests.adapters.vlm_models import qwen2_5_vl
from tests.hub_cache import fill, snapshot

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ").split("#")[0].strip()
    for language, text in BLOCKS
    if language == "console"
    for line in text.splitlines()
    if line.startswith("$ ")
]


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> dict[str, Path]:
    """What a reader of the README has: LVIS in its layout, a checkpoint, answers, a folder."""
    home = tmp_path_factory.mktemp("reader")
    root = home / "lvis"
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    picture = PIL.Image.fromarray(data.chelsea())
    picture.save(root / "val2017" / "000000000001.jpg")
    annotations = {
        "info": {"version": "v1"},
        "licenses": [],
        "images": [
            {
                "id": 1,
                "width": picture.width,
                "height": picture.height,
                "coco_url": "http://images.cocodataset.org/val2017/000000000001.jpg",
                "neg_category_ids": [],
                "not_exhaustive_category_ids": [],
            }
        ],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": 1,
                "area": 100.0 * 80,
                "bbox": [left, 60, 100, 80],
                "segmentation": [[left, 60, left + 100, 60, left + 100, 140, left, 140]],
            }
            for number, left in ((1, 80), (2, 240))
        ],
        "categories": [
            {
                "id": 1,
                "name": "cat",
                "synonyms": ["cat", "house_cat"],
                "synset": "cat.n.01",
                "def": "a feline",
                "frequency": "f",
                "image_count": 1,
                "instance_count": 2,
            }
        ],
    }
    (root / "annotations" / "lvis_v1_val.json").write_text(json.dumps(annotations))
    fill(home / "hub", repository / "tests" / "goldens", "osprey-7b")
    qwen2_5_vl(snapshot(home / "hub", "Qwen/Qwen2.5-VL-3B-Instruct"))
    return {
        "home": home,
        "/data/lvis": root,
        "/models/my-wow-seg": repository / "tests" / "goldens" / "wow_seg" / "checkpoint",
    }


def run(command: str, reader: dict[str, Path]) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    words = [str(reader.get(word, word)) for word in words]
    words[0] = str(Path(sys.executable).with_name("bench"))
    return subprocess.run(
        words,
        cwd=reader["home"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"HF_HUB_CACHE": str(reader["home"] / "hub")},
    )


def command(*beginning: str) -> str:
    """The one command of the README that begins with these words."""
    found: str
    (found,) = [c for c in COMMANDS if c.split()[: len(beginning)] == list(beginning)]
    return found


def test_the_two_commands_are_make_targets(repository: Path) -> None:
    targets = [c.split()[1] for c in COMMANDS if c.startswith("make ")]
    assert {"demo", "test"} <= set(targets)
    for target in set(targets):
        done = subprocess.run(
            ["make", "-n", target], cwd=repository, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_bench_is_on_the_path_before_it_is_called(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    (venv,) = re.findall(r"^VENV \?= (.*)$", makefile, flags=re.MULTILINE)
    first = next(i for i, line in enumerate(COMMANDS) if line.startswith("bench "))
    assert f". {venv}/bin/activate" in COMMANDS[:first]


def test_the_lvis_commands_run_on_a_set_laid_out_as_described(reader: dict[str, Path]) -> None:
    check = run(command("bench", "data", "check"), reader)
    assert check.returncode == 0, check.stderr
    assert "lvis is ready" in check.stdout
    dry, real = [c for c in COMMANDS if c.startswith("bench run --adapter wow-seg")]
    plan = run(f"{dry} --json", reader)
    assert plan.returncode == 0, plan.stderr
    (planned,) = json.loads(plan.stdout)["runs"]
    assert (planned["images"], planned["regions"], planned["answered"]) == (1, 2, 0)
    assert not (reader["home"] / "runs").exists()
    scored = run(real, reader)
    assert scored.returncode == 0, scored.stderr
    assert "semantic_similarity" in scored.stdout
    page = Path(scored.stdout.strip().splitlines()[-1].split()[-1])
    assert page.name == "index.html"
    assert "lvis" in page.read_text(encoding="utf-8")


def test_a_published_model_is_certified_and_runs_from_its_hub_id(reader: dict[str, Path]) -> None:
    certified = run(command("bench", "certify"), reader)
    assert certified.returncode == 0, certified.stderr
    assert "osprey, revision 2: passed" in certified.stdout
    scored = run(f"{command('bench', 'run', '--model')} --json", reader)
    assert scored.returncode == 0, scored.stderr
    (result,) = json.loads(scored.stdout)["runs"]
    assert result["counts"]["errored"] == result["counts"]["missing"] == 0
    manifest = json.loads((reader["home"] / "runs" / result["run"] / "run.json").read_text())
    assert manifest["model"]["checkpoint"] == "sunshine-lwt/Osprey-7b"
    assert manifest["sessions"][0]["certificate"]["passed"]


def test_a_general_model_runs_without_code(reader: dict[str, Path]) -> None:
    done = run(f"{command('bench', 'run', '--adapter', 'vlm')} --json", reader)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["runs"]
    assert result["counts"]["errored"] == result["counts"]["missing"] == 0


def test_the_program_shown_is_an_entry_of_the_configuration(tmp_path: Path) -> None:
    from bench.config import load_config

    (entry,) = re.findall(r"^my-model: .*$", README, flags=re.MULTILINE)
    (tmp_path / "bench.yaml").write_text(f"models:\n  {entry}\n", encoding="utf-8")
    spec = load_config(tmp_path / "bench.yaml").model("my-model")
    assert (spec.adapter, list(spec.settings)) == ("external", ["command"])


def test_a_sweep_is_counted_and_drawn(reader: dict[str, Path]) -> None:
    done = run(command("bench", "efficiency"), reader)
    assert done.returncode == 0, done.stderr
    page = (reader["home"] / "site" / "efficiency.html").read_text(encoding="utf-8")
    assert "wow-seg-mid" in page


def test_a_run_passes_the_gate_of_its_own_baseline(reader: dict[str, Path], tmp_path: Path) -> None:
    place = {**reader, "home": tmp_path}
    model = command("bench", "gate").split()[-1]
    made = run(f"bench run --model {model} --suite shapes --limit 3 --no-mlflow", place)
    assert made.returncode == 0, made.stderr
    updated = run(command("bench", "baseline"), place)
    assert updated.returncode == 0, updated.stderr
    assert (tmp_path / "baseline.json").is_file()
    gated = run(command("bench", "gate"), place)
    assert gated.returncode == 0, gated.stdout
    assert "Passed: 1 score compared" in gated.stdout


def test_the_board_is_published(
    reader: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.invalid")
    for words in ("init", "init --bare board.git", "remote add origin board.git"):
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True, capture_output=True)
    place = {**reader, "home": tmp_path}
    made = run("bench run --model tiny-mm-cascade --suite shapes --limit 2 --no-mlflow", place)
    assert made.returncode == 0, made.stderr
    published = run(command("bench", "publish"), place)
    assert published.returncode == 0, published.stderr
    shown = ["git", "-C", "board.git", "show", "gh-pages:index.html"]
    page = subprocess.run(shown, cwd=tmp_path, check=True, capture_output=True).stdout
    assert page == (tmp_path / "site" / "index.html").read_bytes()
    assert b"tiny-mm-cascade" in page


def test_the_doctor_finds_the_checkpoint_whole(reader: dict[str, Path]) -> None:
    done = run(command("bench", "doctor"), reader)
    assert done.returncode == 0, done.stderr
    assert "is complete" in done.stdout


def test_answers_made_elsewhere_are_imported(reader: dict[str, Path]) -> None:
    exported = run("bench data index lvis --root /data/lvis --export regions.jsonl", reader)
    assert exported.returncode == 0, exported.stderr
    regions = [
        json.loads(line) for line in (reader["home"] / "regions.jsonl").read_text().splitlines()
    ]
    (reader["home"] / "answers.jsonl").write_text(
        "".join(
            json.dumps({"region_id": region["region_id"], "text": "cat"}) + "\n"
            for region in regions
        )
    )
    done = run(command("bench", "import"), reader)
    assert done.returncode == 0, done.stderr
    assert "100.00" in done.stdout


def test_the_adapter_shown_answers(tmp_path: Path) -> None:
    from adapters.interface import RLE, Generation, RegionQuery, Status, Task
    from adapters.registry import AdapterEntry

    names: dict[str, object] = {}
    (source,) = blocks("python")
    exec(compile(source, "README.md", "exec"), names)
    entry = names["ENTRY"]
    assert isinstance(entry, AdapterEntry)
    load = names["load"]
    assert callable(load)
    model = load("x", preset=None, device="cpu", dtype="auto", revision=None, seed=0)
    query = RegionQuery(
        "1", PIL.Image.new("RGB", (4, 4)), None, [RLE((4, 4), "04L0")], None, ["1/1"], Task.CATEGORY
    )
    ((answer,),) = model.recognize([query], Generation(8))
    assert answer.status is Status.ANSWERED


def test_the_suite_declared_in_yaml_opens(tmp_path: Path) -> None:
    from bench.choices import choose_suites
    from bench.config import load_config

    (source,) = blocks("yaml")
    (tmp_path / "bench.yaml").write_text("schema_version: 1\n" + source, encoding="utf-8")
    (tmp_path / "pictures").mkdir()
    PIL.Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / "a.png")
    (declared,) = yaml.safe_load(source)["suites"].values()
    (tmp_path / declared["annotations"]).write_text(
        json.dumps(
            {
                "images": [
                    {
                        "file_name": "a.png",
                        "width": 8,
                        "height": 8,
                        "regions": [
                            {"label": "square", "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]}
                        ],
                    }
                ]
            }
        ),
        encoding="utf-8",
    )
    config = load_config(tmp_path / "bench.yaml")
    (choice,) = choose_suites(config, ["my-regions"], {})
    suite = choice.load(config.cache)
    assert suite.record(0).labels == ("square",)
    assert suite.query(0).image.size == (8, 8)


def test_every_link_into_the_repository_leads_somewhere(repository: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    missing = [link for link in links if not (repository / link.split("#")[0]).exists()]
    assert missing == []
