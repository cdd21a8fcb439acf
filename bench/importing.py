"""Answers made elsewhere, stored as a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from adapters.answer_files import file_digest, read_answers
from adapters.interface import AdapterCard, Answer, FinishReason
from bench import scoring
from bench.beginning import new_manifest, selection_record
from bench.choices import ModelChoice, SuiteChoice, checked_name
from bench.config import Config, ModelSpec
from bench.encoder import load_encoder
from bench.errors import ImportFileError
from bench.identity import Asker, digest, run_id
from bench.outcomes import Outcome
from bench.records import AnswerRow
from bench.result_files import read_osprey_log, read_wow_seg_results
from bench.sessions import continued, session
from bench.store import StoredRun
from bench.suite_regions import SuiteRegions
from suites.base import Selection, Suite

ADAPTER = "import"
_REGIONS_SHOWN = 3


class Form(StrEnum):
    """Forms of answer files."""

    AUTO = "auto"
    ANSWERS = "answers"
    WOW_SEG = "wow-seg"
    OSPREY = "osprey"


def import_run(
    config: Config,
    choice: SuiteChoice,
    model: str,
    files: Sequence[Path],
    *,
    form: Form,
    annotations: Path | None,
    selection: Selection,
    resamples: int,
) -> Outcome:
    """Match answers to the suite's regions, store them as a run, and score them.

    Args:
        config: where runs are stored, and the encoder.
        choice: the suite that was answered.
        model: what to call the model that answered.
        files: files of one form, or folders of WOW-Seg's result files.
        form: what the files are.
        annotations: the annotation file Osprey's script was run with.
        selection: the images that were to be answered.
        resamples: bootstrap resamples.

    Raises:
        ImportFileError: a file is of another form, or its answers cannot be told apart.
        SuiteError: the suite's scores contradict its card; the answers are stored.
    """
    suite = choice.load(config.cache)
    form = _form_of(files) if form is Form.AUTO else form
    regions = SuiteRegions.of(suite)
    answers = _read(regions, files, form, annotations)
    card = _card(files, form, suite)
    asker = Asker.of(card, suite.card.task, suite.generation)
    run = StoredRun.at(config.runs, choice.name, model, run_id(asker, suite.card, suite.digest))
    words = ("--model", model)
    named = ModelChoice(
        checked_name(model), ModelSpec(adapter=ADAPTER, checkpoint=card.checkpoint), words
    )
    limit = () if selection.limit is None else ("--limit", str(selection.limit))
    named_files = (path.name for path in files)
    command = ("bench", "import", *named_files, "--format", form, *words, *choice.words, *limit)
    selected = selection_record(suite, selection)
    encoder = load_encoder(config)
    with run.writing() as writer:
        manifest, kept = continued(
            run, new_manifest(run, command, named, card, choice, suite, selected)
        )
        with session(writer, manifest, card.device):
            if rows := _rows(regions, answers, asker, run.answered()):
                writer.append(rows)
        scores, manifest = scoring.score(
            writer, suite, encoder, selection, resamples=resamples, kept=kept
        )
    return Outcome(run, manifest, scores, (), kept)


def _form_of(files: Sequence[Path]) -> Form:
    if all(path.is_dir() or path.suffix == ".json" for path in files):
        return Form.WOW_SEG
    if all(path.suffix in (".jsonl", ".csv") for path in files):
        return Form.ANSWERS
    if all(path.suffix in (".log", ".txt", ".out") for path in files):
        return Form.OSPREY
    raise ImportFileError(
        f"what {', '.join(path.name for path in files)} are cannot be told from their names; "
        f"say it with --format ({', '.join(form for form in Form if form is not Form.AUTO)})"
    )


def _read(
    regions: SuiteRegions, files: Sequence[Path], form: Form, annotations: Path | None
) -> Mapping[str, Answer]:
    if form is Form.WOW_SEG:
        return read_wow_seg_results(files, regions)
    if form is Form.OSPREY:
        if len(files) != 1 or annotations is None:
            raise ImportFileError(
                "an Osprey log names no image: import one log, with --annotations naming the "
                "JSON file the script was run with"
            )
        return read_osprey_log(files[0], annotations, regions)
    return _read_texts(regions, files)


def _read_texts(regions: SuiteRegions, files: Sequence[Path]) -> dict[str, Answer]:
    known = regions.region_ids()
    answers: dict[str, Answer] = {}
    for path in files:
        texts = read_answers(path)
        for problem, found in (
            ("not the suite's", texts.keys() - known),
            ("answered by an earlier file too", texts.keys() & answers.keys()),
        ):
            if found:
                shown = ", ".join(map(repr, sorted(found)[:_REGIONS_SHOWN]))
                raise ImportFileError(
                    f"{path}: {len(found):,} of its regions are {problem} ({regions.name}): "
                    f"{shown}; `bench data index --export` writes the suite's regions"
                )
        answers |= {
            region: Answer.generated(text, (), FinishReason.NONE, 0)
            for region, text in texts.items()
        }
    return answers


def _card(files: Sequence[Path], form: Form, suite: Suite) -> AdapterCard:
    parts = sorted(
        part for path in files for part in (path.glob("*.json") if path.is_dir() else [path])
    )
    return AdapterCard(
        name=ADAPTER,
        revision=1,
        checkpoint=", ".join(path.name for path in files),
        checkpoint_digest=digest([file_digest(part) for part in parts]),
        parameters=0,
        dtype="unknown",
        device="elsewhere",
        prompts={suite.card.task: ""},
        settings={"format": form.value},
    )


def _rows(
    regions: SuiteRegions,
    answers: Mapping[str, Answer],
    asker: Asker,
    stored: Mapping[str, str],
) -> list[AnswerRow]:
    return [
        AnswerRow.of(region, image.image_id, digest([asker.digest, region]), answers[region])
        for image in regions.images.values()
        for region in image.region_ids
        if region in answers and region not in stored
    ]
