"""A counting world: every pixel says which trajectory and which step it belongs to, so each stored number is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.types import Provenance, Trajectory


def counting_trajectory(
    number: int, steps: int = 5, *, level: str = "counting", size: tuple[int, int] = (4, 6), channels: int = 3
) -> Trajectory:
    """Frames hold `number` in the left half and the step t in the right half (modulo 256); factor `t` is t."""
    frames = np.empty((steps + 1, *size, channels), dtype=np.uint8)
    frames[:, :, : size[1] // 2] = number % 256
    frames[:, :, size[1] // 2 :] = (np.arange(steps + 1) % 256)[:, None, None, None]
    return Trajectory(
        frames=frames,
        actions=np.arange(steps) + number,
        rewards=np.arange(steps, dtype=np.float32) / 4,
        terminated=number % 2 == 0,
        truncated=number % 2 == 1,
        factors={"t": np.arange(steps + 1, dtype=np.float32), "place": np.full((steps + 1, 2), number, np.float32)},
        provenance=Provenance(level=level, level_arguments={"rooms": [1, 2]}, seed=number, wrappers=("TimeLimit",)),
    )


def assert_same(found: Trajectory, expected: Trajectory) -> None:
    """Every number, type and word of two trajectories is the same."""
    for name in ("frames", "actions", "rewards"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert list(found.factors) == list(expected.factors)
    for name, values in expected.factors.items():
        assert found.factors[name].dtype == np.float32
        np.testing.assert_array_equal(found.factors[name], values)
    assert (found.terminated, found.truncated) == (expected.terminated, expected.truncated)
    assert found.provenance == expected.provenance


@pytest.fixture(scope="session")
def counting() -> Callable[..., Trajectory]:
    return counting_trajectory


@pytest.fixture(scope="session")
def same() -> Callable[[Trajectory, Trajectory], None]:
    return assert_same


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """An open, empty store."""
    with TrajectoryStore.create(tmp_path / "store") as store:
        yield store
