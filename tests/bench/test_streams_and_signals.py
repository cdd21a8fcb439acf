"""The command as a process: stopped by a scheduler, or with streams that are not as usual."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

BENCH = "from bench.cli import main; main()"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_stop_from_outside_is_one_in_order(tmp_path: Path, name: str) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        textwrap.dedent(
            """
            import pathlib, sys, time
            import bench.cli

            def slow(arguments):
                pathlib.Path(sys.argv[1]).touch()
                try:
                    time.sleep(60)
                finally:
                    time.sleep(0.5)
                    print("stored", file=sys.stderr)

            bench.cli.cli.main = lambda **_: slow(())
            bench.cli.main()
            """
        )
    )
    begun = tmp_path / "begun"
    process = subprocess.Popen(
        [sys.executable, str(script), str(begun)], stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if begun.exists():
            break
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    if name != "SIGINT":  # some supervisors send both
        time.sleep(0.2)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert told.startswith("stored\n")
    assert "what was finished is stored" in told


def test_a_signal_that_is_ignored_stays_so() -> None:
    ignoring = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); import bench.cli; "
        "bench.cli._stop_in_order(); assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN"
    )
    assert subprocess.run([sys.executable, "-c", ignoring], check=False).returncode == 0


def test_what_an_encoding_lacks_is_escaped() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import bench.cli; bench.cli._mend_streams(); print('\u2212')"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "\\u2212\n"


def test_a_closed_output_is_no_fault() -> None:
    command = f'"{sys.executable}" -c "{BENCH}" list >&-'
    found = subprocess.run(
        ["/bin/sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_a_full_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench import cli

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device", "/data/x")

    monkeypatch.setattr(cli.cli, "main", full)
    assert cli.run(["list"]) == 3
    assert "no room is left" in capsys.readouterr().err
