from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.store import StoredRun, stored_runs
from tests.bench.kinds import Asked, Bench

REGIONS_OF_TEN_IMAGES = sum(2 + i % 3 for i in range(10))


def run_of(workplace: Path, model: str) -> StoredRun:
    (run,) = [run for run in stored_runs(workplace / "runs") if f"/{model}/" in run.name]
    return run


def test_a_run_ends_with_scores_and_the_boards_path(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("run", "--model", "one") == 0
    out = capsys.readouterr().out
    assert "semantic_iou" in out
    assert "100.00" in out
    assert Path(out.splitlines()[-1]) == workplace / "site" / "index.html"
    assert (workplace / "site" / "index.html").is_file()


def test_every_model_runs_on_every_suite_by_default(bench: Bench, workplace: Path) -> None:
    assert bench("run") == 0
    assert [run.name.rpartition("/")[0] for run in stored_runs(workplace / "runs")] == [
        "stripes/one",
        "stripes/two",
    ]


def test_a_question_is_never_asked_twice(bench: Bench, asked: Asked) -> None:
    bench("run", "--model", "one", "--no-report")
    assert len(asked()) == REGIONS_OF_TEN_IMAGES
    assert bench("run", "--model", "one", "--no-report") == 0
    assert asked() == []


def test_a_selection_can_grow(bench: Bench, asked: Asked, workplace: Path) -> None:
    bench("run", "--model", "one", "--limit", 3, "--no-report")
    first = asked()
    assert {region.split("/")[0] for region in first} == {"0000", "0001", "0002"}
    bench("run", "--model", "one", "--no-report")
    assert len(asked()) + len(first) == REGIONS_OF_TEN_IMAGES
    assert run_of(workplace, "one").manifest().selection.images == 10


def test_asking_for_less_scores_less_but_keeps_the_stored_scores(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench("run", "--model", "one", "--no-report")
    before = {p: p.read_bytes() for p in (workplace / "runs").rglob("scores/*/*")}
    capsys.readouterr()
    assert bench("run", "--model", "one", "--limit", 2, "--json", "--no-report") == 0
    (result,) = json.loads(capsys.readouterr().out)["runs"]
    assert result["counts"]["expected"] == 5
    assert not result["stored"]
    assert {p: p.read_bytes() for p in (workplace / "runs").rglob("scores/*/*")} == before


def test_models_with_other_checkpoints_or_settings_never_share_a_run(
    bench: Bench, workplace: Path, asked: Asked
) -> None:
    bench("run", "--model", "one", "--no-report")
    asked()
    text = (workplace / "bench.yaml").read_text()
    (workplace / "bench.yaml").write_text(text.replace("checkpoint: first", "checkpoint: third"))
    bench("run", "--model", "one", "--no-report")
    assert len(asked()) == REGIONS_OF_TEN_IMAGES
    assert len(stored_runs(workplace / "runs")) == 2


def test_a_changed_picture_is_asked_again(bench: Bench, workplace: Path, asked: Asked) -> None:
    bench("run", "--model", "one", "--no-report")
    asked()
    shutil.copy(workplace / "pictures/0004.png", workplace / "pictures/0001.png")
    bench("run", "--model", "one", "--no-report")
    assert asked() == ["0001/0", "0001/1", "0001/2"]


def test_moving_the_pictures_asks_nothing(bench: Bench, workplace: Path, asked: Asked) -> None:
    bench("run", "--model", "one", "--no-report")
    asked()
    (workplace / "pictures").rename(workplace / "elsewhere")
    words = ["--suite", "stripes", "--root", "elsewhere", "--no-report"]
    assert bench("run", "--model", "one", *words) == 0
    assert asked() == []


@pytest.mark.parametrize("damage", ["missing", "corrupt", "resized"])
def test_a_bad_picture_makes_errors_of_its_regions_only(
    bench: Bench,
    workplace: Path,
    asked: Asked,
    capsys: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    picture = workplace / "pictures/0002.png"
    whole = picture.read_bytes()
    if damage == "missing":
        picture.unlink()
    elif damage == "corrupt":
        picture.write_bytes(whole[: len(whole) // 2])
    else:
        import PIL.Image

        PIL.Image.new("RGB", (5, 5)).save(picture)

    assert bench("run", "--model", "one", "--no-report") == 3

    shown = capsys.readouterr()
    assert str(picture) in shown.err
    assert "incomplete" in shown.out
    assert "100.00" not in shown.out
    answers = run_of(workplace, "one").answers()
    errored = answers[answers["status"] == "errored"]
    assert list(errored["image_id"].unique()) == ["0002"]
    assert errored["error"].str.contains("0002.png").all()

    asked()
    picture.write_bytes(whole)
    assert bench("run", "--model", "one", "--no-report") == 0
    assert {region.split("/")[0] for region in asked()} == {"0002"}


def test_a_picture_lost_after_it_was_answered_costs_nothing(bench: Bench, workplace: Path) -> None:
    bench("run", "--model", "one", "--no-report")
    (workplace / "pictures/0002.png").unlink()
    assert bench("run", "--model", "one", "--no-report") == 0


def test_an_image_the_model_fails_on_costs_only_that_image(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (workplace / "bench.yaml").read_text()
    failing = text.replace("checkpoint: first", 'checkpoint: first, settings: {fails_on: "0001"}')
    (workplace / "bench.yaml").write_text(failing)
    assert bench("run", "--model", "one", "--no-report") == 3
    err = capsys.readouterr().err
    assert "out of paint" in err
    assert "3 regions errored; `bench run" in err
    answers = run_of(workplace, "one").answers()
    assert set(answers.loc[answers["status"] == "errored", "image_id"]) == {"0001"}
    assert len(answers) == REGIONS_OF_TEN_IMAGES


def test_a_model_that_cannot_be_loaded_does_not_cost_the_board_of_those_before(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workplace / "bench.yaml"
    path.write_text(path.read_text().replace("checkpoint: second, ", ""))
    assert bench("run") == 2
    assert "needs a checkpoint" in capsys.readouterr().err
    assert "one" in (workplace / "site" / "index.html").read_text()


def test_a_context_dependent_model_is_asked_whole_images(
    bench: Bench, workplace: Path, asked: Asked
) -> None:
    text = (workplace / "bench.yaml").read_text()
    context = text.replace("checkpoint: first", "checkpoint: first, settings: {context: true}")
    (workplace / "bench.yaml").write_text(context)
    assert bench("run", "--model", "one", "--no-report") == 0
    assert len(asked()) == REGIONS_OF_TEN_IMAGES


def test_an_ad_hoc_model_runs_without_being_configured(bench: Bench, workplace: Path) -> None:
    assert bench("run", "--adapter", "fake", "--checkpoint", "some/where", "--no-report") == 0
    assert stored_runs(workplace / "runs")[0].name.startswith("stripes/where/")


def test_an_ad_hoc_suite_takes_its_options_from_the_command_line(
    bench: Bench, workplace: Path
) -> None:
    words = ["--suite", "fakes", "--root", "pictures", "--option", "images=4", "--model", "one"]
    assert bench("run", *words, "--no-report") == 0
    assert run_of(workplace, "one").manifest().selection.images == 4


def test_the_manifest_tells_code_machine_and_encoder(bench: Bench, workplace: Path) -> None:
    bench("run", "--model", "one", "--no-report")
    manifest = run_of(workplace, "one").manifest()
    (session,) = manifest.sessions
    assert session.outcome == "finished"
    assert session.code.packages["pyarrow"]
    assert session.hardware.cores >= 1
    (scoring,) = manifest.scorings.values()
    assert (scoring.encoder, scoring.encoder_source) == ("fake-encoder", "tests")
    assert manifest.counts["answered"] == REGIONS_OF_TEN_IMAGES


def test_a_dry_run_tells_what_is_left_and_how_long_and_asks_nothing(
    bench: Bench, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    bench("run", "--model", "one", "--limit", 5, "--no-report")
    asked()
    capsys.readouterr()
    assert bench("run", "--dry-run", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)["runs"]
    assert (first["model"], first["images"], first["answered"]) == ("one", 10, 14)
    assert first["regions"] == REGIONS_OF_TEN_IMAGES
    assert first["seconds"] is not None
    assert (second["answered"], second["seconds"]) == (0, None)
    assert asked() == []


def test_a_run_writes_nothing_when_there_is_nothing_to_ask(bench: Bench, workplace: Path) -> None:
    bench("run", "--model", "one", "--no-report")
    run = run_of(workplace, "one")
    before = [(p.name, p.read_bytes()) for p in run.parts()]
    bench("run", "--model", "one", "--no-report")
    assert [(p.name, p.read_bytes()) for p in run.parts()] == before


def test_a_model_on_request_runs_only_when_named(bench: Bench, workplace: Path) -> None:
    text = (workplace / "bench.yaml").read_text()
    held_back = text.replace("checkpoint: second,", "checkpoint: second, on_request: true,")
    (workplace / "bench.yaml").write_text(held_back)
    assert bench("run", "--no-report") == 0
    assert [run.name.split("/")[1] for run in stored_runs(workplace / "runs")] == ["one"]
    assert bench("run", "--model", "two", "--no-report") == 0
    assert [run.name.split("/")[1] for run in stored_runs(workplace / "runs")] == ["one", "two"]
    assert "on_request" not in run_of(workplace, "two").manifest().model.declared


def test_only_models_on_request_leave_nothing_to_run(
    bench: Bench, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (workplace / "bench.yaml").read_text()
    (workplace / "bench.yaml").write_text(
        text.replace("checkpoint:", "on_request: true, checkpoint:")
    )
    assert bench("run") == 2
    assert "name one that runs on request with --model" in capsys.readouterr().err
