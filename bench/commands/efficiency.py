"""``bench efficiency``: what N regions of one picture cost, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option, report_option
from bench.output import note, print_json, print_table, warn

if TYPE_CHECKING:
    from bench.efficiency.records import Effort, Record
    from bench.efficiency.results import Stored
    from bench.efficiency.sweeping import Measure


@click.command()
@click.argument("sweep", required=False)
@config_option
@click.option("--model", "models", multiple=True, help="A model of the sweep; default: all.")
@click.option(
    "--preset",
    "effort",
    type=click.Choice(["quick", "full"]),
    default="full",
    show_default=True,
    help="quick: a few queries a point; full: the protocol, half a minute a point and more.",
)
@click.option(
    "--measure",
    type=click.Choice(["cost", "speed"]),
    help="Only computed costs, or only measured speeds; default: as the sweep says.",
)
@click.option("--device", help="Where to measure speeds: auto, cpu, cuda, cuda:1 …")
@click.option("--again", is_flag=True, help="Do anew what is stored already.")
@report_option
@json_option
def command(
    sweep: str | None,
    config_path: Path | None,
    models: tuple[str, ...],
    effort: Effort,
    measure: Measure | None,
    device: str | None,
    again: bool,
    no_report: bool,
    as_json: bool,
) -> int:
    """Compute what 1 to 32 regions of a picture cost, and measure how long they take.

    SWEEP is one of bench.yaml's; default: the first. Every point is stored, and not done again on
    the same hardware; a stopped sweep goes on with the same command.
    """
    from bench.config import load_config
    from bench.efficiency.contenders import choose_sweep, contenders
    from bench.efficiency.hardware import look_around
    from bench.efficiency.results import Skipped
    from bench.efficiency.sweeping import Sweep
    from bench.efficiency.timing import EFFORTS
    from bench.outcomes import write_board

    config = load_config(config_path)
    neighbours = look_around()
    name, spec = choose_sweep(config, sweep)
    measures = spec.measure if measure is None else (measure,)
    around = neighbours.warnings() if "speed" in measures else []
    for message in around:
        warn(message)
    work = Sweep(
        name=name,
        spec=spec,
        contenders=contenders(config, name, spec, models, device),
        folder=config.efficiency,
        effort=EFFORTS[effort],
        measures=measures,
        neighbours=neighbours,
        again=again,
        tell=note,
    )
    done: list[Stored] = []
    skipped: list[Skipped] = []
    for outcome in work.run():
        if isinstance(outcome, Skipped):
            warn(outcome.reason)
            skipped.append(outcome)
        else:
            done.append(outcome)
            if outcome.fresh:
                _tell_doubts(outcome.record, told=around)
    board: str | None = None
    try:
        if not no_report:
            board = str(write_board(config))
    finally:  # what was done is told also where the board cannot be written
        if as_json:
            values = {
                "sweep": name,
                "records": [_values(stored) for stored in done],
                "skipped": [outcome.reason for outcome in skipped],
                "board": board,
            }
            print_json(values)
        else:
            _show(name, done)
            click.echo(board or config.efficiency / name)
    lost = any(outcome.lost for outcome in skipped) or any(stored.failed for stored in done)
    whole = any(stored.has_result for stored in done) and not lost
    return ExitCode.FINE if whole else ExitCode.INCOMPLETE


def _values(stored: Stored) -> dict[str, object]:
    record = stored.record.model_dump(mode="json")
    return {"path": str(stored.path), "fresh": stored.fresh, **record}


def _tell_doubts(record: Record, told: Sequence[str]) -> None:
    """Warn of a point without a result, or with a speed that may be wrong."""
    how = "cost" if record.kind == "cost" else record.decode
    point = f"{record.subject.model}, {record.instances} {record.way}, {how}"
    if record.reason is not None:
        warn(f"{point}: {record.outcome.replace('_', ' ')}: {record.reason}")
    for message in () if record.kind == "cost" else record.warnings:
        if message not in told:
            warn(f"{point}: {message}")


def _show(name: str, done: Sequence[Stored]) -> None:
    from bench.efficiency.showing import (
        COST_COLUMNS,
        DOUBT,
        SPEED_COLUMNS,
        cost_rows,
        is_doubtful,
        speed_rows,
    )

    records = [stored.record for stored in done]
    if costs := cost_rows(records):
        print_table(COST_COLUMNS, costs, title=f"{name}: computed cost of a picture")
    if speeds := speed_rows(records):
        print_table(SPEED_COLUMNS, speeds, title=f"{name}: measured speed of a picture")
    if any(is_doubtful(record) for record in records):
        click.echo(f"{DOUBT} An audit of the point failed; its record's warnings say which.")
