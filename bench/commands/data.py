"""``bench data``: look at a suite's files, convert them, and build its index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.exit_codes import ExitCode
from bench.options import config_option, json_option, suite_options, with_root
from bench.output import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suites.base import ImageRecord, Suite


@click.group("data")
def command() -> None:
    """Check a suite's files, prepare them, or build its index."""


@command.command()
@click.argument("suite")
@config_option
@suite_options
@json_option
def check(
    suite: str, config_path: Path | None, options: dict[str, str], root: str | None, as_json: bool
) -> int:
    """Say what of SUITE's files is missing, truncated or mismatched, and how to mend it."""
    from bench.choices import choose_suites
    from bench.config import load_config
    from suites.base import Level

    (choice,) = choose_suites(load_config(config_path), [suite], with_root(options, root))
    findings = choice.check()
    bad = any(finding.level in (Level.MISSING, Level.INVALID) for finding in findings)
    if as_json:
        values = [
            {"level": f.level, "subject": f.subject, "message": f.message, "remedy": f.remedy}
            for f in findings
        ]
        print_json({"suite": choice.name, "ready": not bad, "findings": values})
    else:
        for finding in findings:
            click.echo(f"{finding.level.value:8} {finding.subject}: {finding.message}")
            if finding.remedy:
                click.echo(f"{'':8} → {finding.remedy}")
        click.echo(f"{choice.name} {'is not ready' if bad else 'is ready'}")
    return ExitCode.INCOMPLETE if bad else ExitCode.FINE


@command.command()
@click.argument("suite")
@config_option
@suite_options
@json_option
def prepare(
    suite: str, config_path: Path | None, options: dict[str, str], root: str | None, as_json: bool
) -> int:
    """Convert SUITE's published files into the form it reads.

    Needed by a few segmentation suites only; `bench data check` says so. Files that an earlier,
    interrupted call finished are kept.
    """
    from bench.choices import choose_suites
    from bench.config import load_config
    from bench.output import steps

    (choice,) = choose_suites(load_config(config_path), [suite], with_root(options, root))
    with steps() as report:
        prepared = choice.prepare(report)
    if as_json:
        print_json(
            {
                "suite": choice.name,
                "folder": str(prepared.folder),
                "made": prepared.made,
                "kept": prepared.kept,
            }
        )
    else:
        click.echo(f"{prepared.folder}: {prepared.made:,} made, {prepared.kept:,} kept")
    return ExitCode.FINE


@command.command()
@click.argument("suite")
@config_option
@suite_options
@click.option(
    "--export",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write every region (id, picture, mask) as JSON lines, to be answered elsewhere.",
)
@json_option
def index(
    suite: str,
    config_path: Path | None,
    options: dict[str, str],
    root: str | None,
    export: Path | None,
    as_json: bool,
) -> int:
    """Build SUITE's index, which every other verb then opens at once."""
    from bench.choices import choose_suites
    from bench.config import load_config
    from suites.base import Selection

    config = load_config(config_path)
    (choice,) = choose_suites(config, [suite], with_root(options, root))
    opened = choice.load(config.cache)
    regions = len(opened.references(Selection()))
    if export is not None:
        _export(opened, export)
    if as_json:
        print_json(
            {
                "suite": choice.name,
                "version": opened.card.version,
                "digest": opened.digest,
                "images": len(opened),
                "regions": regions,
            }
        )
    else:
        click.echo(
            f"{choice.name} {opened.card.version}: {len(opened):,} images, {regions:,} regions, "
            f"digest {opened.digest[:12]}"
        )
    return ExitCode.FINE if regions else ExitCode.INCOMPLETE


def _export(suite: Suite, path: Path) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            for number in range(len(suite)):
                for row in _rows(suite.record(number)):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise click.ClickException(f"--export {path} cannot be written: {error}") from error


def _rows(record: ImageRecord) -> Iterator[dict[str, object]]:
    for region_id, mask in zip(record.region_ids, record.masks, strict=True):
        yield {
            "region_id": region_id,
            "image": str(record.path),
            "mask": {"size": list(mask.size), "counts": mask.counts},
        }
