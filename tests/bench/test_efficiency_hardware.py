"""What is told of the machine: an accelerator's memory and energy, its driver, and neighbours.

The accelerator and NVIDIA's libraries are fakes: no test needs either.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from bench import provenance
from bench.efficiency import hardware, meter
from bench.efficiency.hardware import driver, look_around
from bench.efficiency.meter import Meter
from tests.bench.sweeps import Efficiency, efficiency, installed, paced, place, speeds

__all__ = ["efficiency", "installed", "paced", "place"]

GIB = 2**30


class FakeCard:
    """CUDA's answers about one card: 5 GiB allocated now, 9 at most, 12 reserved, 30 free."""

    def __init__(self) -> None:
        self.emptied = self.reset = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = {
            "memory_allocated": lambda device: 5 * GIB,
            "max_memory_allocated": lambda device: 9 * GIB,
            "max_memory_reserved": lambda device: 12 * GIB,
            "mem_get_info": lambda device: (30 * GIB, 80 * GIB),
            "get_device_properties": lambda device: SimpleNamespace(uuid="1234-abcd"),
            "empty_cache": self._empty,
            "reset_peak_memory_stats": self._reset,
        }
        for name, answer in answers.items():
            monkeypatch.setattr(torch.cuda, name, answer)

    def _empty(self) -> None:
        self.emptied += 1

    def _reset(self, device: torch.device) -> None:
        self.reset += 1


class FakeNvml(ModuleType):
    """NVML with a counter in millijoules, which grows by 1,500 at every look."""

    def __init__(self, fails: str = "") -> None:
        super().__init__("pynvml")
        self.fails, self.millijoules, self.asked = fails, 0, ""
        self.nvmlInit = self._init
        self.nvmlDeviceGetHandleByUUID = self._handle
        self.nvmlDeviceGetTotalEnergyConsumption = self._counter

    def _init(self) -> None:
        self._may_fail("init")

    def _handle(self, uuid: str) -> str:
        self._may_fail("handle")
        self.asked = uuid
        return "handle"

    def _counter(self, handle: str) -> int:
        self._may_fail("counter")
        assert handle == "handle"
        self.millijoules += 1500
        return self.millijoules

    def _may_fail(self, step: str) -> None:
        if self.fails == step:
            raise RuntimeError("NVMLError_NotSupported")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeCard:
    fake = FakeCard()
    fake.install(monkeypatch)
    monkeypatch.setitem(sys.modules, "pynvml", None)  # not installed
    return fake


@pytest.fixture
def no_cache() -> Iterator[None]:
    driver.cache_clear()
    yield
    driver.cache_clear()


def test_peaks_are_without_what_other_models_hold(card: FakeCard) -> None:
    gpu = Meter("cuda:0")
    gpu.reset()
    assert card.reset == 1
    assert gpu.memory()[:2] == (9 * GIB, 12 * GIB)
    gpu.others = 2 * GIB
    assert gpu.memory()[:2] == (7 * GIB, 12 * GIB)
    assert (gpu.held(), gpu.free()) == (5 * GIB, 30 * GIB)
    gpu.release()
    assert card.emptied == 1


def test_a_card_that_is_gone_has_nothing_to_give_back(
    card: FakeCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise RuntimeError("CUDA error: the device has fallen off the bus")

    monkeypatch.setattr(torch.cuda, "empty_cache", gone)
    monkeypatch.setattr(torch.cuda, "mem_get_info", gone)
    gpu = Meter("cuda:0")
    gpu.release()
    assert gpu.free() is None


def test_a_processor_has_no_peaks_but_memory_that_is_free(card: FakeCard) -> None:
    cpu = Meter("cpu")
    cpu.reset()
    cpu.release()
    allocated, reserved, resident = cpu.memory()
    assert (allocated, reserved, cpu.held(), cpu.joules()) == (None, None, 0, None)
    assert resident > 2**20
    free = cpu.free()
    assert free is None or free > 2**20
    assert (card.reset, card.emptied) == (0, 0)


def test_a_program_of_its_own_counts_as_a_processor(card: FakeCard) -> None:
    assert Meter("their server").memory()[:2] == (None, None)


def test_energy_is_read_from_nvml_in_joules(
    card: FakeCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    gpu = Meter("cuda:0")
    first, second = gpu.joules(), gpu.joules()
    assert nvml.asked == "GPU-1234-abcd"
    assert first is not None
    assert second is not None
    assert second - first == 1.5


@pytest.mark.parametrize("fails", ["init", "handle", "counter"])
def test_without_a_counter_there_is_no_energy(
    card: FakeCard, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(fails))
    assert Meter("cuda:0").joules() is None


def test_without_pynvml_there_is_no_energy(card: FakeCard) -> None:
    assert Meter("cuda:0").joules() is None


def test_a_counter_that_goes_away_ends_with_its_device(
    card: FakeCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    gpu = Meter("cuda:0")
    nvml.fails = "counter"
    assert gpu.joules() is None


def test_energy_is_recorded_by_picture(
    efficiency: Efficiency, paced: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = iter(range(0, 10_000, 6))  # 6 J between two looks
    monkeypatch.setattr(meter, "_energy_counter", lambda device: lambda: float(next(counter)))
    _, printed = efficiency("--measure", "speed")
    assert {record["energy_joules"] for record in speeds(printed)} == {6.0}  # a query a round


def smi(monkeypatch: pytest.MonkeyPatch, answer: str | Exception) -> list[list[str]]:
    """NVIDIA's tool, and what it is asked."""
    asked: list[list[str]] = []

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(words, 0, answer, "")

    monkeypatch.setattr("bench.efficiency.hardware.subprocess.run", run)
    return asked


def test_the_driver_is_told_once_for_cards_of_one_kind(
    monkeypatch: pytest.MonkeyPatch, no_cache: None
) -> None:
    asked = smi(monkeypatch, "580.65\n580.65\n")
    assert driver("cuda:0") == f"driver 580.65, CUDA {torch.version.cuda}"
    assert asked == [["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]]
    assert driver("cpu") is None


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("nvidia-smi"),
        subprocess.CalledProcessError(9, "nvidia-smi"),
        subprocess.TimeoutExpired("nvidia-smi", 20),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_the_tool_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, no_cache: None, error: Exception
) -> None:
    smi(monkeypatch, error)
    assert look_around().processes == ()
    assert driver("cuda:0") == f"driver unknown, CUDA {torch.version.cuda}"


def test_this_process_is_not_its_own_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    smi(monkeypatch, f"{os.getpid()}, python, 900 MiB\n\n4242, python train.py, 31000 MiB\n")
    assert look_around().processes == ("4242, python train.py, 31000 MiB",)


def test_a_foreign_process_is_warned_of_and_recorded(
    efficiency: Efficiency, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = "4242, python train.py, 31000 MiB"
    monkeypatch.setattr(hardware, "_nvidia_smi", lambda query: [foreign])
    code, printed = efficiency("--measure", "speed")
    assert code == 0
    for record in speeds(printed):
        assert record["foreign_processes"] == [foreign]
        assert any(foreign in warning for warning in record["warnings"])


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("cpu", None),
        ("none", None),
        ("cuda:1", "card of cuda:1"),
        ("external", "a device unknown here"),
        ("cuda: NVIDIA H100 of another machine", "cuda: NVIDIA H100 of another machine"),
    ],
)
def test_only_a_processors_speeds_are_this_processors(
    monkeypatch: pytest.MonkeyPatch, device: str, name: str | None
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card of {device}")
    assert provenance.hardware(device).accelerator == name


def test_an_apple_gpu_is_not_the_processor() -> None:
    assert provenance.hardware("mps").accelerator == f"mps of {provenance.hardware('cpu').cpu}"
