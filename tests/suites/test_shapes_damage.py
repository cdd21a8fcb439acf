"""Generated scenes that were damaged since, or that the disk has no room for."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from suites.base import DataInvalid
from suites.registry import entry
from suites.shapes import files


@pytest.mark.parametrize("name", ["annotations.json", "validation-000001.png"])
@pytest.mark.parametrize("cut", [True, False])
def test_damaged_scenes_are_made_again(tmp_path: Path, name: str, cut: bool) -> None:
    first = entry("shapes").load(cache=tmp_path, images=2)
    (file,) = (tmp_path / "shapes").glob(f"*/{name}")
    whole = file.read_bytes()
    if cut:
        file.write_bytes(whole[: len(whole) // 2])
    else:
        file.unlink()
    again = entry("shapes").load(cache=tmp_path, images=2)

    assert again.digest == first.digest
    assert file.read_bytes() == whole
    assert again.query(1).image.size == (128, 128)


def test_a_full_disk_is_named_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(edition: files.Edition, folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "_make", full)
    with pytest.raises(OSError, match="No space left") as caught:
        entry("shapes").load(cache=tmp_path, images=2)

    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "shapes")


def test_damaged_scenes_that_cannot_be_removed_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    entry("shapes").load(cache=tmp_path, images=2)
    (file,) = (tmp_path / "shapes").glob("*/annotations.json")
    file.unlink()
    monkeypatch.setattr("suites.shapes.files.shutil.rmtree", refuse)

    with pytest.raises(DataInvalid, match=f"{file.parent.name} are damaged .*delete the folder"):
        entry("shapes").load(cache=tmp_path, images=2)
