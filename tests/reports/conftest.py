"""One demo site for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import published
from reports.site import write_site
from tests.reports import boards


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index page: demo runs, a hostile one, two suites more, and one of segmentation."""
    made = [
        *boards.demo(),
        boards.run("hostile", texts=boards.HOSTILE, skill=0.8),
        boards.run("wow-seg-1b", suite="lvis", skill=0.85, images=20),
        boards.run("wow-seg-1b", suite="paco", skill=0.8, images=20),
        boards.run("pam-3b", suite="lvis", skill=0.7, images=20, parameters=3_000_000_000),
        boards.measuring(
            boards.run("tiny-sm", suite="shapes-panoptic", images=20), ["pq", "miou"], "gtmask-v1"
        ),
    ]
    folder = tmp_path_factory.mktemp("site")
    return write_site(boards.board(made, published=published.load()), folder)
