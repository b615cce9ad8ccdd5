"""--device gives a device that is really there."""

from __future__ import annotations

import pytest
import torch

from perma_agent.cli.device import available_devices, choose_device
from perma_agent.errors import PermaAgentError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Pretend to be a machine with so many CUDA devices, with or without MPS."""

    def pretend(*, cuda: int, mps: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda:0"), (2, True, "cuda:0")]
)
def test_auto_takes_the_fastest_kind(machine, cuda: int, mps: bool, expected: str) -> None:
    machine(cuda=cuda, mps=mps)
    assert choose_device("auto") == torch.device(expected)


def test_a_device_by_name(machine) -> None:
    machine(cuda=2, mps=False)
    assert available_devices() == ["cuda:0", "cuda:1", "cpu"]
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("cuda") == torch.device("cuda")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", ""])
def test_a_device_that_is_not_there_names_those_that_are(machine, name: str) -> None:
    machine(cuda=0, mps=False)
    with pytest.raises(PermaAgentError, match=f"expected --device auto or one of cpu, got '{name}'"):
        choose_device(name)
