"""``bench baseline``: what `bench gate` compares runs with, as a file for git."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option
from bench.output import note, percent, print_json, print_table, warn

if TYPE_CHECKING:
    from bench.config import Config
    from bench.gating.changes import Change
    from bench.gating.contents import Baseline
    from bench.gating.entries import Entry

baseline_option = click.option(
    "--baseline",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The baseline file; default: that of bench.yaml.",
)


@click.group("baseline")
def command() -> None:
    """Write and show the file that `bench gate` compares runs with."""


@command.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@baseline_option
@click.option(
    "--only", "alone", is_flag=True, help="Keep nothing else: neither other runs nor other speeds."
)
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@config_option
@json_option
def update(
    runs: tuple[str, ...],
    path: Path | None,
    alone: bool,
    dry_run: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Make stored runs the baseline, and say what that changes.

    RUN is SUITE/MODEL, MODEL, SUITE/MODEL/RUN or a run's folder; default: the latest run of every
    entry that the file has. Measured speeds are taken along where bench.yaml gates them, but for
    those that failed their audit. Exit code 3 where a run is incomplete or missing: nothing is
    written then.
    """
    from bench.config import load_config
    from bench.gating.baseline_file import read_baseline, write_baseline
    from bench.gating.baselines import is_file
    from bench.gating.changes import changes, left_out, only, other_origins, updated
    from bench.gating.contents import Baseline
    from bench.gating.speeds import read_speeds

    config = load_config(config_path)
    gate, path = config.contents.gate, path or config.baseline
    old = read_baseline(path) if is_file(path) else Baseline({}, {})
    entries = _chosen(config, old, runs)
    if entries is None:
        return ExitCode.INCOMPLETE
    speeds = {} if gate.speed.tolerance is None else read_speeds(config.efficiency, gate.speed)
    new = updated(old, entries, speeds, gate)
    if alone:
        new = only(new, {entry.pair for entry in entries}, speeds)
    found, origins = list(changes(old, new)), list(other_origins(old, new))
    without = list(left_out(old, speeds))
    if as_json:
        values = [asdict(change) for change in found]
        told = {"changes": values, "origins": origins, "left_out": without}
        print_json({"baseline": str(path), **told})
    else:
        _show_changes(found, origins)
    _tell_doubts(new, without)
    if dry_run:
        note("nothing was written")
    else:
        write_baseline(path, new)
        note(f"{path} is written")
    return ExitCode.FINE


@command.command()
@baseline_option
@config_option
@json_option
def show(path: Path | None, config_path: Path | None, as_json: bool) -> int:
    """Show what the baseline holds."""
    from bench.config import load_config
    from bench.gating.baseline_file import read_baseline

    path = path or load_config(config_path).baseline
    baseline = read_baseline(path)
    if as_json:
        entries = [_values(entry) for entry in baseline.entries.values()]
        speeds = [
            {**s.place.question._asdict(), "hardware": s.place.hardware, "seconds_p50": s.p50}
            for s in baseline.speeds.values()
        ]
        print_json({"baseline": str(path), "entries": entries, "speeds": speeds})
    else:
        _show(path, baseline)
    return ExitCode.FINE if baseline.entries or baseline.speeds else ExitCode.INCOMPLETE


def _chosen(config: Config, old: Baseline, runs: tuple[str, ...]) -> list[Entry] | None:
    """The complete runs that were named; ``None``, with a warning, where one is not complete."""
    from bench.gating.entries import find_entries, latest_entry

    whole = True
    if runs:
        entries = [entry for name in runs for entry in find_entries(config, name)]
    else:
        entries = []
        for suite, model in sorted(old.entries):
            entry = latest_entry(config, suite, model)
            if entry is None:
                warn(f"there is no run of {model} on {suite}; `bench run` makes one")
                whole = False
            else:
                entries.append(entry)
    _refuse_two_of_one(entries)
    for entry in entries:
        if not entry.complete:
            warn(f"{entry.table.run} cannot be a baseline: {entry.shortcoming}")
            whole = False
    if not entries:
        warn("no run was named, and the baseline has none; name one: SUITE/MODEL, or MODEL")
    return entries if entries and whole else None


def _refuse_two_of_one(entries: list[Entry]) -> None:
    runs: dict[tuple[str, str], str] = {}
    for entry in entries:
        known = runs.setdefault(entry.pair, entry.table.run)
        if known != entry.table.run:
            raise click.UsageError(
                f"{known} and {entry.table.run} are both runs of {entry.name}, of which the "
                "baseline keeps one; name one of them"
            )


def _show_changes(found: list[Change], origins: list[str]) -> None:
    from bench.gating.telling import difference, number, one_line

    rows = [
        (
            one_line(change.subject),
            one_line(change.name),
            number(change.kind, change.before),
            number(change.kind, change.after),
            difference(change.kind, change.difference, change.low, change.high),
            change.note or change.happened.value,
        )
        for change in found
    ]
    if rows:
        print_table(("", "score", "before", "after", "difference [95 %]", ""), rows)
    else:
        click.echo("no score or speed changes")
    for line in origins:
        click.echo(one_line(line))


def _tell_doubts(baseline: Baseline, left_out: list[str]) -> None:
    from bench.gating.telling import one_line

    for entry in baseline.entries.values():
        main = entry.table.main
        if main is not None and main.draws is None:
            warn(
                f"{entry.name} has no resamples, so that no gate can tell a drop from chance: "
                "`bench score` makes them where there are two images or more"
            )
    for line in left_out:
        warn(one_line(line))


def _show(path: Path, baseline: Baseline) -> None:
    from bench.gating.checks import Kind
    from bench.gating.speeds import point_names
    from bench.gating.telling import number, one_line

    rows = [
        (
            entry.table.called,
            entry.table.model,
            entry.table.images,
            entry.table.main_metric,
            percent(entry.table.main.score) if entry.table.main else "",
            ", ".join(_paired_metrics(entry)),
            entry.commit,
        )
        for entry in baseline.entries.values()
    ]
    columns = ("suite", "model", "images", "metric", "×100 [95 %]", "resamples of", "commit")
    print_table(columns, rows, title=str(path))
    if baseline.speeds:
        names = point_names(place.question for place in baseline.speeds)
        print_table(
            ("model", "point", "hardware", "p50"),
            [
                (
                    s.place.question.model,
                    one_line(names[s.place.question]),
                    one_line(s.place.hardware),
                    number(Kind.SPEED, s.p50),
                )
                for s in baseline.speeds.values()
            ],
        )


def _paired_metrics(entry: Entry) -> list[str]:
    return [key[0] for key, drawn in entry.table.scores.items() if drawn.draws is not None]


def _values(entry: Entry) -> dict[str, object]:
    table = entry.table
    return {
        "suite": table.called,
        "model": table.model,
        "run": table.run,
        "suite_version": table.suite_version,
        "suite_digest": table.suite_digest,
        "protocol": table.protocol,
        "main_metric": table.main_metric,
        "encoder_digest": table.encoder_digest,
        "images": table.images,
        "counts": asdict(table.counts),
        "checkpoint_digest": entry.checkpoint_digest,
        "commit": entry.commit,
        "scores": [asdict(drawn.score) for drawn in table.scores.values()],
    }
