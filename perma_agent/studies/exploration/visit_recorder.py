"""Visit recorder: notes where agents are at every step, and what they have before them, without touching a thing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from perma_agent.evaluation.coverage import Views

VISIBLE = ("object_visible", "object_pixels")
"""Factors that tell how much of an object is in the picture: ours, and ViZDoom's."""


@dataclass(frozen=True, kw_only=True)
class VisitLog:
    """What was noted over T steps of N levels: K moments, which are all steps and the beginnings of all episodes."""

    steps: np.ndarray
    """Steps of all levels together that were taken by each moment, int64, shape `[K]`."""
    views: Views
    """Where the agent was and what it had before it at each moment."""
    rewards: np.ndarray
    """The level's own, float64, shape `[T, N]`."""
    ended: np.ndarray
    """Episodes that ended with this step, bool, shape `[T, N]`."""
    succeeded: np.ndarray
    """Of those, the ones whose level said so, bool, shape `[T, N]`."""
    seconds: np.ndarray
    """Wall clock since the first reset when a step was done, float64, shape `[T]`."""

    @property
    def total(self) -> int:
        """Steps of all levels together."""
        return int(self.rewards.size)


class VisitRecorder(VecEnvWrapper):
    """Reads `info["factors"]` of every reset and step of a `VecEnv` as it passes through unchanged.

    It stands next to the levels, inside of whatever encodes observations or adds to rewards, so that the rewards it
    notes are the levels' own.

    Args:
        venv: levels that report x, z, heading, distance_ahead and what of their objects is visible.
    """

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv)
        self._moments: list[tuple[float, ...]] = []
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []
        self._began: float | None = None

    def reset(self) -> VecEnvObs:
        """Reset all levels."""
        observations = self.venv.reset()
        if self._began is None:
            self._began = time.perf_counter()
        for info in self.unwrapped.reset_infos:
            self._note(info)
        return observations

    def step_wait(self) -> VecEnvStepReturn:
        """Pass on what the levels answer."""
        observations, rewards, dones, infos = self.venv.step_wait()
        succeeded = np.array([bool(info.get("is_success", False)) for info in infos]) & dones
        passed = time.perf_counter() - (self._began or 0.0)
        self._rows.append((np.array(rewards, dtype=np.float64), np.array(dones, dtype=bool), succeeded, passed))
        for index, info in enumerate(infos):
            self._note(info)
            if dones[index]:
                self._note(self.unwrapped.reset_infos[index])
        return observations, rewards, dones, infos

    def log(self) -> VisitLog:
        """What was noted so far.

        Raises:
            ValueError: no step was taken yet.
        """
        if not self._rows:
            raise ValueError("expected levels that were stepped, got none; step them first")
        moments = np.array(self._moments)
        rewards, ended, succeeded, seconds = (np.array(part) for part in zip(*self._rows, strict=True))
        return VisitLog(
            steps=moments[:, 0].astype(np.int64),
            views=Views(places=moments[:, 1:3], headings=moments[:, 3], ahead=moments[:, 4], in_view=moments[:, 5] > 0),
            rewards=rewards,
            ended=ended,
            succeeded=succeeded,
            seconds=seconds,
        )

    def _note(self, info: Mapping[str, Any]) -> None:
        factors = info["factors"]
        visible = next((factors[name] for name in VISIBLE if name in factors), np.zeros(1))
        pose = (float(factors[name][0]) for name in ("x", "z", "heading", "distance_ahead"))
        self._moments.append((float(len(self._rows) * self.num_envs), *pose, float(np.max(visible, initial=0.0))))
