"""Running an adapter's golden fixtures, and what came of it."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters import registry
from adapters.conformance import FixtureError
from adapters.interface import UnknownAdapter
from adapters.registry import AdapterEntry
from bench.certificates import Certificate, summarize, versions_of
from bench.config import Config
from bench.errors import CertificateError
from bench.output import warn
from bench.provenance import code, now

DEVICE = "cpu"
"""Certifiers compare in float32 on the CPU, where numbers are the same on every machine."""

GOLDENS = Path(__file__).resolve().parent.parent / "tests" / "goldens"


def choose_adapters(config: Config, names: Sequence[str]) -> list[AdapterEntry]:
    """The adapters that ``names`` mean, each once: adapters, or models of the configuration.

    Without names, every adapter that has a certification.

    Raises:
        UnknownAdapter: a name is neither; the nearest names are suggested.
        CertificateError: the adapter named has no certification.
    """
    if not names:
        return [entry for entry in _readable(registry.names()) if entry.certifier is not None]
    models = config.contents.models
    meant = dict.fromkeys(models[name].adapter if name in models else name for name in names)
    chosen = [registry.entry(name) for name in meant]
    for entry in chosen:
        if entry.certifier is None:
            raise CertificateError(
                f"adapter {entry.name!r} computes nothing that golden fixtures could check; "
                "leave it out"
            )
    return chosen


def _readable(names: Sequence[str]) -> Iterator[AdapterEntry]:
    """The entries that can be read; a third party's broken one is a warning."""
    for name in names:
        try:
            yield registry.entry(name)
        except UnknownAdapter as error:
            warn(str(error))


def fixture_folder(entry: AdapterEntry, goldens: Path | None) -> Path:
    """The adapter's fixture in ``goldens``; by default beside the source checkout.

    Raises:
        FixtureError: it is not there.
    """
    folder = (goldens or GOLDENS) / (entry.fixtures or entry.name)
    if not folder.is_dir():
        raise FixtureError(
            f"adapter {entry.name!r}: no golden fixture at {folder}; fixtures come with the source "
            "repository, not with the package: clone it and give its tests/goldens as --fixtures"
        )
    return folder


def certify(entry: AdapterEntry, folder: Path) -> Certificate:
    """Compare the adapter with the fixture in ``folder``, in every stage it has.

    An adapter that fails on the way has failed; what it had compared before is kept.

    Raises:
        FixtureError: the fixture cannot be read, or compares nothing.
        CertificateError: the adapter has no revision.
    """
    revision, digest = adapter_revision(entry), folder_digest(folder)
    comparisons = []
    failure = None
    try:
        for comparison in entry.certify(folder):
            comparisons.append(comparison)
    except FixtureError:
        raise
    except Exception as error:  # whatever it is, the adapter does not compute what it should
        if os.environ.get("BENCH_DEBUG"):
            raise
        failure = f"{type(error).__name__}: {error}"
    if not comparisons and failure is None:
        raise FixtureError(f"golden fixture {folder}: nothing was compared")
    running = code()
    return Certificate(
        adapter=entry.name,
        revision=revision,
        passed=failure is None and all(comparison.passed for comparison in comparisons),
        stages=summarize(comparisons),
        error=failure,
        fixture_digest=digest,
        versions=versions_of(running),
        device=DEVICE,
        certified=now(),
        commit=running.commit,
        dirty=running.dirty,
    )


def adapter_revision(entry: AdapterEntry) -> int:
    """The revision of the adapter's outputs: ``REVISION`` of the module that holds its loader.

    Raises:
        CertificateError: the module declares none.
    """
    module = entry.loader.partition(":")[0]
    revision = getattr(importlib.import_module(module), "REVISION", None)
    if not isinstance(revision, int):
        raise CertificateError(
            f"adapter {entry.name!r}: {module} declares no REVISION, the number its card gives "
            "as revision; without it a certificate would be of no particular outputs"
        )
    return revision


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of every file below ``folder``."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            contents = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()} {contents}\n".encode())
    return whole.hexdigest()
