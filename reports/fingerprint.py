"""What the pages are made by: a page stays as it is only while that stays the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

_LIBRARIES = ("altair", "jinja2", "pandas", "vl-convert-python")


@cache
def makers() -> str:
    """Digest of this room's code, templates and data, and the versions of what draws with it."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return hashlib.sha256(f"{code('reports')} {libraries}".encode()).hexdigest()


@cache
def code(*packages: str) -> str:
    """Digest of every file of these packages."""
    digest = hashlib.sha256()
    for package in packages:
        _add(digest, files(package), package)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, folder: Traversable, path: str) -> None:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name == "__pycache__":
            continue
        if item.is_dir():
            _add(digest, item, f"{path}/{item.name}")
        else:
            content = item.read_bytes()
            digest.update(f"{path}/{item.name} {len(content)}\n".encode())
            digest.update(content)
