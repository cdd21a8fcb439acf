"""The ``bench`` command: finds the verb's module, and turns errors into exit codes."""

from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bench.errors import NO_ROOM, StoreFull
from bench.exit_codes import ExitCode
from bench.github_runner import harmless

VERBS = {
    "list": "bench.commands.list_names",
    "data": "bench.commands.data",
    "run": "bench.commands.run",
    "score": "bench.commands.score",
    "efficiency": "bench.commands.efficiency",
    "gate": "bench.commands.gate",
    "baseline": "bench.commands.baseline",
    "compare": "bench.commands.compare",
    "report": "bench.commands.report",
    "publish": "bench.commands.publish",
    "model-index": "bench.commands.model_index",
    "import": "bench.commands.import_answers",
    "certify": "bench.commands.certify",
    "doctor": "bench.commands.doctor",
}


class LazyGroup(click.Group):
    """A group whose verbs are imported when they are called or their help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module; ``None`` where there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant, else the nearest: click knows no lazy ones to suggest."""
        word = args[0]
        if word not in VERBS and not word.startswith("-") and not ctx.resilient_parsing:
            from adapters.interface import suggestion

            ctx.fail(f"No such command {word!r}{suggestion(word, VERBS) or '.'}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={
        "auto_envvar_prefix": "BENCH",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(package_name="regionbench", prog_name="bench")
def cli() -> None:
    """Score what vision-language models say about image regions.

    Every option is also an environment variable: `bench run --limit` is BENCH_RUN_LIMIT.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; messages go to standard error."""
    try:
        result = cli.main(args=list(arguments), prog_name="bench", standalone_mode=False)
        return int(result or ExitCode.FINE)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(harmless(shown.getvalue()), err=True, nl=False)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; what was finished is stored, and the same command goes on from there")
        return ExitCode.INCOMPLETE
    except BrokenPipeError:  # the reader of a pipe left; nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INCOMPLETE
    except Exception as error:
        if os.environ.get("BENCH_DEBUG"):
            raise
        if isinstance(error, StoreFull):
            _say(f"error: {error}")
            return ExitCode.INCOMPLETE
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            _say(f"error: no room is left: {error}; free some and run the same command again")
            return ExitCode.INCOMPLETE
        if isinstance(error, _deliberate()):
            _say(f"error: {error}")
            return ExitCode.USAGE
        _say(
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a fault of regionbench, not a result. BENCH_DEBUG=1 shows the traceback."
        )
        return ExitCode.INTERNAL


def main() -> None:
    """Entry point of the console script."""
    # Threads that spin while they wait make a small model 20 times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _mend_streams()
    _stop_in_order()
    try:
        code = run(sys.argv[1:])
    except Exception:
        sys.excepthook(*sys.exc_info())
        code = ExitCode.INTERNAL
    gc.freeze()  # what is left goes with the process: no search for garbage among all of it
    sys.exit(code)


def _mend_streams() -> None:
    """Let nothing that is printed fail for want of a stream, or of its encoding's characters."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started this; its number must not go to another file
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _stop_in_order() -> None:
    """Take what schedulers and closed terminals send for Ctrl-C: what is finished gets stored."""
    names = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def stop(*_: object) -> None:
        for number in taken:  # a second one must not disturb what the first has begun
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in taken:
        signal.signal(number, stop)


def _deliberate() -> tuple[type[Exception], ...]:
    from adapters.interface import AdapterError
    from bench.errors import BenchError
    from metrics.errors import MetricError
    from reports.frames import ReportError
    from suites.base import SuiteError

    return AdapterError, BenchError, MetricError, ReportError, SuiteError


def _say(message: str) -> None:
    click.echo(harmless(message), err=True)
