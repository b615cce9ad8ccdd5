"""Levels that are drawn in no time, and cells worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.machine import Machine
from perma_agent.studies.sb3.timed_agents import EYES, LEVEL

MACHINE = Machine(cpu="invented", cores=2, torch="0", accelerator=None)
POLICY = {"copies": 2, "steps_per_rollout": 50}


class Pictures(gym.Env[Any, Any]):
    """Episodes of five steps that pay 1 each; frames are noise about one brightness."""

    observation_space = gym.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, brightness: int) -> None:
        self.brightness, self.t = brightness, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._frame(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self._frame(), 1.0, self.t == 5, False, {}

    def _frame(self) -> np.ndarray:
        return (self.brightness + self.np_random.integers(0, 40, (64, 64, 3))).astype(np.uint8)


@pytest.fixture
def pictures() -> Callable[[int], DummyVecEnv]:
    """Makes two copies of one brightness."""
    return lambda brightness: DummyVecEnv([lambda: Monitor(Pictures(brightness))] * 2)


def cell(arm: str, seed: int = 0, *, figures: Any = None, series: Any = None, **settings: Any) -> Cell:
    """A cell of the study."""
    return Cell(
        study="sb3",
        arm=arm,
        seed=seed,
        settings={"preset": "bench", **settings},
        figures=figures or {},
        series=series or {},
        seconds=60.0,
        commit="0000000",
        machine=MACHINE,
    )


def timed(threads: int, **rates: list[float]) -> Cell:
    """Timings; arms that are not named make 100 steps a second in each of three rounds."""
    series = {name: rates.get(name, [100.0, 100.0, 100.0]) for name in (*EYES, LEVEL)}
    return cell(
        f"speed-{threads}",
        series=series,
        figures={name: float(np.median(values)) for name, values in series.items()},
        threads=[threads],
        policy={**POLICY, "copies": 8},
        level={"id": "perma/IndoorForage-v0", "arguments": {}},
    )


def killed(difference: float | None = 0.0, *, terminated: int = 9, killed: int = 11, asked: int = 20) -> Cell:
    """The trial of resuming."""
    figures = {"terminated": terminated, "killed": killed, "exits_with_0": 8, "processes": 21, "tensors": 182}
    figures |= {"same_episodes": 1, "straight_seconds": 30, "seconds": 200, "max_difference": difference}
    return cell("resume", figures=figures, kills=asked)


def switched(mode: str, seed: int, *, at: float = 1.0, noticed: float | None = 2.0) -> Cell:
    """An agent that returned 2 before the switch, `at` at it, and 3 at the end; four rollouts of 100 steps a side."""
    learning = mode == "continual"
    starts = list(range(0, 800, 100))
    figures: dict[str, float | None] = {
        "return/before": 2.0,
        "return/at": at,
        "return/after": 3.0,
        "publications": 7.0 if learning else 0.0,
        "elsewhere": 0.0,
        "information/at": 0.2,
        "update_kl/at": 0.01,
        "update_kl/before": 0.01,
        "update_kl/after": 0.02,
    }
    if learning:
        for place, when in enumerate(("before", "at", "after")):
            figures |= {f"moved/{when}": 0.1 * (1 + place), f"policy_kl/{when}": 0.001 * (1 + place)}
        figures |= {"environments": 2.0, "noticed": noticed}
    series = {
        "episode_end": list(range(40, 801, 40)),
        "return": [float(end > 400) for end in range(40, 801, 40)],
        "start": starts,
        "published": [int(learning and start > 0) for start in starts],
        **{f"moved_{look}": [0.1] * 8 for look in ("before", "after")},
        **{f"policy_kl_{look}": [0.01] * 8 for look in ("before", "after")},
        "update_kl": [None, *([0.02] * 7)],
        "round": [start + 100 for start in starts] if learning else [],
        "environment": [0, 0, 0, 0, None, 1, 1, 1] if learning else [],
        "environments": [1, 1, 1, 1, 1, 2, 2, 2] if learning else [],
        "masked": [0] * 8 if learning else [],
    }
    return cell(f"switch-{mode}", seed, figures=figures, series=series, rollouts=4, window=2, policy=POLICY)


def chance() -> Cell:
    """The random policy."""
    return cell("switch-chance", figures={"return/before": 0.25, "return/after": 0.5})


@pytest.fixture
def invent() -> SimpleNamespace:
    """What makes each kind of cell."""
    return SimpleNamespace(cell=cell, timed=timed, killed=killed, switched=switched, chance=chance)


@pytest.fixture
def cells() -> list[Cell]:
    """All cells of a study."""
    agents = [switched(mode, seed) for mode in ("continual", "frozen") for seed in (0, 1, 2)]
    return [timed(1, frozen=[210.0] * 3), timed(2), killed(), *agents, chance()]
