"""The simplest case: in one empty room, does an agent learn to bring about what is imagined, and from what it sees?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.callbacks import CallbackList
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from perma_agent.envs import make_level
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.sb3 import EncodedObservation, LatentTrace
from perma_agent.studies.exploration.arms import ARMS, OURS
from perma_agent.studies.exploration.explorer import ExplorerConfig, Paid, Progress, make_ppo, pay
from perma_agent.studies.exploration.goal_notes import GoalNotes
from perma_agent.studies.exploration.vases import vase_folder
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.seed_rows import row, row_id, seeds_of

ROOM = "room"
"""First part of the names of these cells: `room-pose`."""
SIDE = 6.0
"""Of the room, metres."""
LEVEL = "perma/IndoorMaze-v0"
ARGUMENTS: Mapping[str, Any] = MappingProxyType(
    {"rows": 1, "columns": 1, "cell_size": SIDE, "start": "random", "randomise": False, "map_seed": 0}
)
"""The room: a maze of one cell, in which every episode begins somewhere else."""
SEEN_AS = "indoor-maze"
"""Whose VASE looks at it."""
SIGHTS: Mapping[str, str] = MappingProxyType(
    {"pose": "the true pose", "code": "the VASE's code of the frame", "trace": "the code and its trace"}
)
"""What policy and bonus are shown, and how it is called."""
WEIGHT, STEPS = 0.3, 24_576
"""Of the bonus, and of the agent."""


def measure_room(sight: str, explorer: ExplorerConfig, seed: int, vases: Path, advance: Advance) -> Measured:
    """Let an agent learn to bring about what is imagined over what it is shown, and note whether it gets better at it.

    Args:
        sight: one of `SIGHTS`. Goals are imagined among poses, codes or traces: among what is compared with them.
        explorer: PPO.
        seed: of levels, agent and bonus.
        vases: folder of the VASEs.
        advance: told of steps.

    Returns:
        The figures of `GoalNotes`.

    Raises:
        LevelError: the level cannot be made.
        RunFolderError: the VASE is missing.
    """
    run = None if sight == "pose" else vase_folder(vases, SEEN_AS)
    venv = _levels(sight, run, copies=explorer.copies)
    start = venv.observation_space.shape[0] // 2 if sight == "trace" else 0  # type: ignore[index]  # a vector
    bonus = ImaginationBonus(ImaginationConfig(run=run, seed=seed, start=start))
    paid = Paid(arm=ARMS[OURS], weight=WEIGHT, extrinsic=0.0)
    rewarded = pay(venv, paid, explorer, bonus=bonus)
    rewarded.seed(seed)
    try:
        agent = make_ppo(rewarded, explorer, seed=seed, shows_goal=True)
        notes = GoalNotes(rewarded)
        agent.learn(explorer.steps, callback=CallbackList([Progress(advance), notes]))
        return Measured(figures=notes.figures())
    finally:
        rewarded.close()


def room_rows(cells: Sequence[Cell]) -> list[Row]:
    """Share of goals reached in the first and in the last quarter of the run, for each sight."""
    made = []
    for sight, title in SIGHTS.items():
        for when in ("first", "last"):
            values = seeds_of(cells, f"{ROOM}-{sight}", f"goals_reached_{when}")
            if len(values):
                note = f"imagined goals reached in one empty room in the {when} quarter of the run; seen: {title}"
                made.append(row(row_id(f"room_{sight}_reached_{when}"), values, unit="share", note=note))
    return made


class _TruePose(gym.Wrapper[np.ndarray, Any, Any, Any]):
    """Shows x and z in half sides of the room, and the heading's cosine and sine, in place of the frame."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), dtype=np.float32)

    def reset(self, **how: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """The pose at the start."""
        _, info = self.env.reset(**how)
        return self._pose(info), info

    def step(self, action: Any) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """The pose after the action."""
        _, reward, terminated, truncated, info = self.env.step(action)
        return self._pose(info), reward, terminated, truncated, info

    def _pose(self, info: Mapping[str, Any]) -> np.ndarray:
        x, z, heading = (float(info["factors"][name][0]) for name in ("x", "z", "heading"))
        return np.array([2 * x / SIDE, 2 * z / SIDE, np.cos(heading), np.sin(heading)], dtype=np.float32)


def _levels(sight: str, run: Path | None, *, copies: int) -> VecEnv:
    def one() -> gym.Env[Any, Any]:
        level = make_level(LEVEL, **ARGUMENTS)
        return Monitor(_TruePose(level) if run is None else level)

    venv: VecEnv = DummyVecEnv([one] * copies)
    if run is None:
        return venv
    encoded = EncodedObservation(venv, run)
    return LatentTrace(encoded) if sight == "trace" else encoded


def shortened(explorer: ExplorerConfig) -> ExplorerConfig:
    """At most `STEPS` of them."""
    return replace(explorer, steps=min(explorer.steps, STEPS))
