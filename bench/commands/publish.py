"""``bench publish``: push the site to a branch that a static host serves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bench.options import config_option, json_option, site_option


@click.command()
@click.option(
    "--remote",
    metavar="URL_OR_NAME",
    help="A git remote's name, URL or path; default: the one in bench.yaml, else origin.",
)
@click.option("--branch", help="Its branch; default: the one in bench.yaml, else gh-pages.")
@click.option("--folder", help="Publish into this folder of the branch; default: its root.")
@site_option
@click.option("--message", "-m", help="The commit's message.")
@click.option("--dry-run", is_flag=True, help="Say what would change there; push nothing.")
@click.option("--no-report", is_flag=True, help="Publish the folder as it is; do not build it.")
@config_option
@json_option
def command(
    remote: str | None,
    branch: str | None,
    folder: str | None,
    site: Path | None,
    message: str | None,
    dry_run: bool,
    no_report: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Write the board, and push it to a branch such as gh-pages.

    Only the site's own files there are replaced. Nothing is forced, and neither your working
    tree nor your index is touched.
    """
    from bench.config import load_config
    from bench.exit_codes import ExitCode
    from bench.outcomes import write_board
    from bench.output import print_json, warn
    from bench.publishing.destination import find_destination
    from bench.publishing.git import here
    from bench.publishing.site_commit import publish
    from bench.store import stored_runs

    config = load_config(config_path)
    spec = config.contents.publish
    user = here(config.folder if remote is None else Path.cwd())
    destination = find_destination(
        user,
        spec.remote if remote is None else remote,
        spec.branch if branch is None else branch,
        spec.folder if folder is None else folder,
    )
    if not no_report:
        if not stored_runs(config.runs):
            warn(
                f"no run is stored under {config.runs}, so there is no board to publish; "
                "`bench run` makes one, --no-report publishes the site's folder as it is"
            )
            return ExitCode.INCOMPLETE
        write_board(config, site)
    done = publish(
        site or config.site,
        destination,
        user,
        message or "Publish the board of regionbench",
        dry_run=dry_run,
    )
    if as_json:
        print_json({"to": destination.shown, **asdict(done)})
    elif not done.differs:
        click.echo(f"nothing to publish: {destination.shown} holds this site already")
    else:
        verb = "would publish" if done.commit is None else f"published {done.commit[:10]}"
        click.echo(
            f"{verb} to {destination.shown}: "
            f"{done.added:,} added, {done.changed:,} changed, {done.removed:,} removed"
        )
    return ExitCode.FINE
