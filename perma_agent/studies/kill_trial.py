"""Trains and records a policy while its levels' processes are killed: does it go on, is all that is kept whole?"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor

from perma_agent.data import TrajectoryStore
from perma_agent.envs import make_level
from perma_agent.wrappers import RecordTrajectories, TolerantVecEnv, WorkerRestartedWarning

ROLLOUT = 500
"""Steps of all copies between two updates of the policy."""
STAMP = np.dtype([("process", "<u4"), ("episode", "<u2"), ("step", "<u2")])
"""What each frame says of itself: where it was drawn, in which episode there, and how many steps into it."""


class StampFrames(gym.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """Writes a `STAMP` over the first eight bytes of each frame, so that a stored trajectory can be checked."""

    def __init__(self, env: gym.Env[np.ndarray, Any]) -> None:
        super().__init__(env)
        self._episode, self._step = 0, 0

    def reset(self, **arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        frame, info = self.env.reset(**arguments)
        self._episode, self._step = self._episode + 1, 0
        return self._stamped(frame), info

    def step(self, action: Any) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """Act once."""
        frame, reward, terminated, truncated, info = self.env.step(action)
        self._step += 1
        return self._stamped(frame), reward, terminated, truncated, info

    def _stamped(self, frame: np.ndarray) -> np.ndarray:
        frame = np.array(frame, order="C")
        stamp = np.array([(os.getpid(), self._episode, self._step)], dtype=STAMP)
        frame.reshape(-1)[: STAMP.itemsize] = stamp.view(np.uint8)
        return frame


@dataclass(frozen=True, kw_only=True)
class KillOutcome:
    """What was left after all kills."""

    kills: int
    """Processes that were sent SIGKILL."""
    restarts: int
    """Broken-off episodes that the training was told of."""
    updates: int
    """Rollouts the policy learnt from."""
    steps: int
    """Steps that the levels were asked to take."""
    recorded: int
    """Steps in the store."""
    trajectories: int
    """Episodes in the store, whole or broken off."""
    damaged: int
    """Of these, how many mix episodes, lack a step, or hold what another holds too."""

    @property
    def survived(self) -> int:
        """Kills after which training went on, less one for each damaged trajectory and each step that was not kept."""
        return max(0, min(self.kills, self.restarts) - self.damaged - abs(self.steps - self.recorded))


def train_under_kills(
    level: str, *, kills: int, every: int, copies: int, seed: int, on_steps: Callable[[float], None]
) -> KillOutcome:
    """Train PPO on a level, record all of it, and kill one of the levels' processes every so many steps.

    Args:
        level: id of the level.
        kills: how many; the copies take turns.
        every: steps, of all copies together, from one to the next; a multiple of `copies`.
        copies: levels in parallel.
        seed: of levels and policy.
        on_steps: called with the steps since the last call.

    Raises:
        LevelError: the level cannot be made, or a process died too often.
    """
    if every % copies or ROLLOUT % copies:
        raise ValueError(f"expected {every} and {ROLLOUT} steps to be multiples of the copies, got {copies}")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkerRestartedWarning)
        venv = TolerantVecEnv([lambda: Monitor(StampFrames(make_level(level)))] * copies)
        recorded = RecordTrajectories(venv, Path(folder) / "store", policy="ppo")
        killer = _Killer(venv, every=every, kills=kills, on_steps=on_steps)
        try:
            model = PPO("CnnPolicy", recorded, n_steps=ROLLOUT // copies, batch_size=100, n_epochs=1, seed=seed)
            model.learn(
                kills * every + 1, callback=killer
            )  # whole rollouts, so that there is a step after the last kill
        finally:
            recorded.close()
        with TrajectoryStore.open(Path(folder) / "store") as store:
            recorded_steps, damaged = inspect(store)
            return KillOutcome(
                kills=killer.kills,
                restarts=killer.restarts,
                updates=model.num_timesteps // ROLLOUT,
                steps=model.num_timesteps,
                recorded=recorded_steps,
                trajectories=len(store),
                damaged=damaged,
            )


def inspect(store: TrajectoryStore) -> tuple[int, int]:
    """Count the steps of a store of stamped frames, and its trajectories that are not whole.

    Whole is what holds one episode from its first frame on, every step once, and no frame that another trajectory
    holds. Where a process died the last frame seen is also the one the episode ended with, so it may stand there twice.
    """
    steps, damaged, known = 0, 0, set[tuple[int, int]]()
    for number in range(len(store)):
        trajectory = store.trajectory(number)
        steps += len(trajectory)
        pixels = trajectory.frames.reshape(len(trajectory.frames), -1)[:, : STAMP.itemsize]
        stamps = np.ascontiguousarray(pixels).view(STAMP)[:, 0]
        episodes = {(int(stamp["process"]), int(stamp["episode"])) for stamp in stamps}
        times = stamps["step"].astype(int).tolist()
        if trajectory.truncated and times[-1] == times[-2]:
            times.pop()
        whole = len(episodes) == 1 and not episodes & known and times == list(range(len(times)))
        known |= episodes
        damaged += not whole
    return steps, damaged


class _Killer(BaseCallback):
    """Kills the processes in turn and counts what the training is told of it."""

    def __init__(self, venv: TolerantVecEnv, *, every: int, kills: int, on_steps: Callable[[float], None]) -> None:
        super().__init__()
        self.kills, self.restarts = 0, 0
        self._venv, self._every, self._limit, self._on_steps = venv, every, kills, on_steps

    def _on_step(self) -> bool:
        self.restarts += sum(bool(info.get("worker_restarted")) for info in self.locals["infos"])
        if self.num_timesteps % self._every == 0 and self.kills < self._limit:
            self._venv.processes[self.kills % self._venv.num_envs].kill()
            self.kills += 1
        self._on_steps(self._venv.num_envs)
        return True
