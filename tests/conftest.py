"""Fixtures every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Set before torch is loaded: waiting threads must not spin on machines with two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

# How long an example takes says more about the machine than about the code.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's root folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def goldens() -> Path:
    """Golden fixtures that ship with the tests."""
    return REPOSITORY / "tests" / "goldens"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real sample data beside the checkout, which is not part of the project."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs the shared sample data beside the checkout (../shared)")
    return folder
