"""The study of levels: its cells go on where they stopped, its rows follow from them, and damage is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import Cell, write_cell
from perma_agent.evaluation.results import read_summary
from perma_agent.studies import level_scores
from perma_agent.studies.kill_trial import STAMP, KillOutcome, StampFrames, inspect, train_under_kills
from perma_agent.types import Trajectory

MAZE = "perma/IndoorMaze-v0"
SMALL = replace(level_scores.PRESETS["smoke"], episodes=2, levels=(MAZE,))


def cell(arm: str, **parts: Any) -> Cell:
    settings = {"preset": "bench", "split": "train", "level": MAZE, "every": 200}
    return Cell(study="levels", arm=arm, seed=0, settings=settings, figures={}, seconds=1.0, **parts)


def scored(arm: str, successes: list[bool]) -> Cell:
    return cell(arm, series={"successes": successes, "returns": [float(x) for x in successes]})


def killed(**figures: float) -> Cell:
    whole = {"kills": 100, "restarts": 100, "survived": 100, "steps": 20500, "recorded": 20500, "trajectories": 130}
    return replace(cell("kills"), figures={**whole, "updates": 41, "damaged": 0, **figures})


def test_the_oracle_beats_chance_and_nothing_is_measured_twice(tmp_path: Path) -> None:
    level_scores.run(SMALL, tmp_path, only="oracle")
    level_scores.run(SMALL, tmp_path, only="random")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()}
    level_scores.run(SMALL, tmp_path, only="oracle")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").iterdir()} == before
    summary = level_scores.summarise(tmp_path)
    oracle = summary["oracle_success_indoor_maze"]
    assert (oracle.mean, oracle.n) == (1.0, 2)
    assert oracle.low == pytest.approx(0.342, abs=1e-3)  # Wilson, 2 of 2: 1 / (1 + 1.96² / 2)
    assert summary["random_success_indoor_maze"].mean < 1.0
    assert summary["kills_survived"].mean is None and summary["kills_survived"].met is False
    assert read_summary(tmp_path / "summary.json").rows == summary.rows
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RunFolderError, match="others for episodes"):
        level_scores.run(replace(SMALL, episodes=3), tmp_path, only="oracle")


def test_rows_follow_from_the_cells(tmp_path: Path) -> None:
    for one in (
        scored("oracle-outdoor_maze", [True, True, True, False]),
        scored("random-outdoor_maze", [False] * 4),
        killed(),
    ):
        write_cell(tmp_path, one)
    summary = level_scores.summarise(tmp_path)
    assert summary.command == "perma-agent study levels --preset bench"
    assert summary["oracle_success_outdoor_maze"].mean == 0.75
    assert summary["oracle_return_outdoor_maze"].mean == 0.75
    assert summary["random_success_outdoor_maze"].low == 0.0
    assert summary["kills_survived"].met is True
    write_cell(tmp_path, killed(survived=99))
    assert level_scores.summarise(tmp_path)["kills_survived"].met is False


def test_presets_are_not_mixed(tmp_path: Path) -> None:
    write_cell(tmp_path, scored("oracle-outdoor_maze", [True]))
    other = scored("random-outdoor_maze", [True])
    write_cell(tmp_path, replace(other, settings={**other.settings, "preset": "smoke"}))
    with pytest.raises(RunFolderError, match="cells of one preset"):
        level_scores.summarise(tmp_path)


@pytest.mark.parametrize(
    ("found", "survived"),
    [({}, 10), ({"restarts": 8}, 8), ({"damaged": 3}, 7), ({"recorded": 998}, 8), ({"restarts": 12}, 10)],
)
def test_what_counts_as_survived(found: dict[str, int], survived: int) -> None:
    whole = {
        "kills": 10,
        "restarts": 10,
        "updates": 2,
        "steps": 1000,
        "recorded": 1000,
        "trajectories": 9,
        "damaged": 0,
    }
    assert KillOutcome(**{**whole, **found}).survived == survived


class Grey(gym.Env[np.ndarray, int]):
    observation_space = gym.spaces.Box(0, 255, (4, 4, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, **arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
        return np.full((4, 4, 3), 9, np.uint8), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self.reset()[0], 0.0, False, False, {}


def test_stamps() -> None:
    level = StampFrames(Grey())
    level.reset()
    level.reset()
    for _ in range(300):
        frame = level.step(0)[0]
    stamp = frame.reshape(-1)[: STAMP.itemsize].view(STAMP)[0]
    assert (stamp["episode"], stamp["step"]) == (2, 300)
    assert (frame.reshape(-1)[STAMP.itemsize :] == 9).all()


def episode(marks: list[tuple[int, int]], *, truncated: bool = False) -> Trajectory:
    """Of (episode, step) at each frame."""
    frames = np.zeros((len(marks), 4, 4, 3), dtype=np.uint8)
    stamps = np.array([(77, number, step) for number, step in marks], dtype=STAMP)
    frames.reshape(len(marks), -1)[:, : STAMP.itemsize] = stamps.view(np.uint8).reshape(len(marks), -1)
    steps = len(marks) - 1
    return Trajectory(
        frames=frames,
        actions=np.zeros(steps),
        rewards=np.zeros(steps, np.float32),
        terminated=not truncated,
        truncated=truncated,
    )


def test_damage_is_seen(tmp_path: Path) -> None:
    whole = [episode([(1, 0), (1, 1), (1, 2)]), episode([(2, 0), (2, 1), (2, 1)], truncated=True)]
    damaged = [
        episode([(3, 0), (3, 1), (4, 0)]),  # joined to the next
        episode([(5, 0), (5, 2)]),  # a step is missing
        episode([(6, 1), (6, 2)]),  # the first frame is missing
        episode([(7, 0), (7, 1), (7, 1)]),  # a step twice, and nobody died
        episode([(1, 0), (1, 1)]),  # held by another
    ]
    with TrajectoryStore.create(tmp_path / "store") as store:
        store.add_many(whole)
        assert inspect(store) == (4, 0)
        store.add_many(damaged)
        assert inspect(store) == (4 + 2 + 1 + 1 + 2 + 1, 5)


@pytest.mark.slow
def test_training_and_recording_survive_kills() -> None:
    steps: list[float] = []
    outcome = train_under_kills(MAZE, kills=3, every=100, copies=2, seed=0, on_steps=steps.append)
    assert (outcome.kills, outcome.restarts, outcome.damaged, outcome.survived) == (3, 3, 0, 3)
    assert outcome.steps == outcome.recorded == sum(steps) == 500


def test_kills_must_fall_on_whole_steps() -> None:
    with pytest.raises(ValueError, match="multiples of the copies"):
        train_under_kills(MAZE, kills=1, every=100, copies=3, seed=0, on_steps=lambda steps: None)
