"""What a bonus costs: every agent has its turn, and the share is of steps a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.continual import Learner, LearnerConfig
from perma_agent.continual.checkpoint import save_run
from perma_agent.evaluation.cells import Cell
from perma_agent.models import VASE, VASEConfig
from perma_agent.studies.exploration import bonus_cost
from perma_agent.studies.exploration.bonus_cost import bonus_cost_rows, costs, measure_bonus_cost
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.planned_cell import Measured

TINY = ExplorerConfig(copies=2, steps_per_rollout=8, batch_size=8, epochs=1, layers=(8,))


class Noise(gymnasium.Env[np.ndarray, Any]):
    """A frame of noise; episodes of five steps."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0, 255, (32, 32, 3), np.uint8)
        self.action_space = spaces.Discrete(3)
        self.left = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.left = 5
        return self._frame(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.left -= 1
        return self._frame(), 0.0, False, self.left == 0, {}

    def _frame(self) -> np.ndarray:
        return self.np_random.integers(256, size=(32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = VASEConfig(channels=3, image_size=32, filters=(4, 4, 4, 4), hidden=8, latents=4, likelihood="gaussian")
    folder = tmp_path_factory.mktemp("vase") / "run"
    save_run(Learner(VASE(config), LearnerConfig()), folder)
    return folder


def measured(run: Path, *arms: str, rounds: int = 2, told: list[float] | None = None) -> Measured:
    told = [] if told is None else told
    return measure_bonus_cost(
        told.append,
        make_levels=lambda: DummyVecEnv([lambda: Monitor(Noise())] * 2),
        run=run,
        arms=arms,
        config=TINY,
        rounds=rounds,
    )


def cell_of(found: Measured) -> Cell:
    return Cell(
        study="exploration", arm="cost", seed=0, settings={}, figures=found.figures, series=found.series, seconds=1.0
    )


def test_each_agent_is_timed_once_a_round(run: Path) -> None:
    told: list[float] = []
    found = measured(run, "none", "rnd", "skew-fit", told=told)
    assert told == [1.0] * 6
    assert {name: len(values) for name, values in found.series.items()} == {
        "seconds_none": 2,
        "seconds_rnd": 2,
        "seconds_skew-fit": 2,
        "cost_rnd": 2,
        "cost_skew-fit": 2,
    }
    assert all(value > 0 for values in (found.series[f"seconds_{arm}"] for arm in ("none", "rnd")) for value in values)
    assert found.figures["steps_per_second_none"] == pytest.approx(16 / np.median(found.series["seconds_none"]))


def test_imagination_is_timed_like_the_others(run: Path) -> None:
    rows = {row.id: row for row in bonus_cost_rows(cell_of(measured(run, "none", "rnd", "imagination")))}
    assert rows["bonus_cost"].goal == "<= 0.25" and rows["bonus_cost"].mean is not None
    assert rows["bonus_cost_vs_rnd"].goal == "<= 1.5" and rows["bonus_cost_vs_rnd"].n == 2


def test_the_cost_is_the_share_of_steps_a_second_that_is_lost() -> None:
    assert costs({"none": [3.0, 1.0], "rnd": [4.0, 1.0]}) == {"rnd": [0.25, 0.0]}


def test_a_bonus_that_dawdles_costs_what_it_dawdles(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bonus_cost, "_time", lambda agent: 4.0 if _name(agent) == "rnd" else 1.0)
    found = measured(run, "none", "rnd", "icm")
    assert found.series["cost_rnd"] == [0.75, 0.75]
    assert found.series["cost_icm"] == [0.0, 0.0]


def _name(agent: Any) -> str:
    return type(agent.env.bonus).__name__.lower()


def test_rows_say_how_many_rounds_and_what_was_not_timed() -> None:
    series = {"cost_rnd": [0.1, 0.2, 0.1], "cost_imagination": [0.1, 0.3, 0.2]}
    cell = Cell(study="exploration", arm="cost", seed=0, settings={}, figures={}, series=series, seconds=1.0)
    rows = {row.id: row for row in bonus_cost_rows(cell)}
    assert (rows["bonus_cost"].mean, rows["bonus_cost"].n) == (0.2, 3)
    assert rows["bonus_cost_vs_rnd"].mean == pytest.approx(2.0)
    assert rows["bonus_cost_vs_rnd"].low <= 2.0 <= rows["bonus_cost_vs_rnd"].high  # type: ignore[operator]
    assert rows["bonus_cost_rnd"].mean == 0.1
    assert [row.mean for row in bonus_cost_rows(None)] == [None, None]


def test_arms_that_do_not_belong_are_told(run: Path) -> None:
    with pytest.raises(ValueError, match=r"expected arms among .*, none one of them, got rnd"):
        measured(run, "rnd")
    with pytest.raises(ValueError, match="got none, ngu"):
        measured(run, "none", "ngu")
