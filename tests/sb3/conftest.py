"""A tiny image level, a tiny VASE in a run folder, and agents small enough to learn in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from perma_agent.continual import DreamConfig, InferenceConfig, Learner, LearnerConfig
from perma_agent.continual.checkpoint import save_run
from perma_agent.models import VASE, VASEConfig


class Square(gymnasium.Env[np.ndarray, Any]):
    """A white square that the agent pushes left and right; reward at the right edge; ends after `limit` steps.

    `day` inverts the picture: another world under the same rules.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        size: int = 64,
        channels_last: bool = True,
        continuous: bool = False,
        day: bool = False,
        limit: int = 24,
        pixels: type = np.uint8,
    ) -> None:
        shape = (size, size, channels) if channels_last else (channels, size, size)
        whitest = 255 if pixels is np.uint8 else 1.0
        self.observation_space = spaces.Box(0, whitest, shape, dtype=pixels)
        self.action_space = spaces.Box(-1, 1, (1,), dtype=np.float32) if continuous else spaces.Discrete(3)
        self.day, self.limit, self.channels_last, self.size = day, limit, channels_last, size
        self.column, self.row, self.steps = 0, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.column, self.row = (int(edge) for edge in self.np_random.integers(0, self.size - 16, 2))
        self.steps = 0
        return self._frame(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        push = int(np.rint(np.asarray(action).item())) - (0 if isinstance(self.action_space, spaces.Box) else 1)
        self.column = min(max(self.column + 4 * push, 0), self.size - 16)
        self.steps += 1
        return self._frame(), float(self.column >= self.size - 20), False, self.steps >= self.limit, {}

    def _frame(self) -> np.ndarray:
        frame = np.full(self.observation_space.shape, 20, dtype=np.uint8)
        rows, columns = slice(self.row, self.row + 16), slice(self.column, self.column + 16)
        frame[(rows, columns) if self.channels_last else (slice(None), rows, columns)] = 220
        frame = 255 - frame if self.day else frame
        space = self.observation_space
        return frame if space.dtype == np.uint8 else (frame / 255.0).astype(space.dtype)


def make_level(count: int = 2, **options: Any) -> VecEnv:
    """`count` squares side by side."""
    venv = DummyVecEnv([lambda: Square(**options) for _ in range(count)])
    venv.seed(0)
    return venv


def make_learner(*, channels: int = 3, latents: int = 4, seed: int = 0, burn_in: int = 500) -> Learner:
    """A learner of the tiniest VASE, untrained."""
    torch.manual_seed(seed)
    config = VASEConfig(
        channels=channels,
        filters=(4, 4, 4, 4),
        hidden=16,
        latents=latents,
        max_environments=3,
        likelihood="gaussian" if channels == 3 else "bernoulli",
    )
    settings = LearnerConfig(
        seed=seed, learning_rate=1e-2, dreaming=DreamConfig(count=4), inference=InferenceConfig(burn_in=burn_in)
    )
    return Learner(VASE(config), settings)


def make_agent(algorithm: type[BaseAlgorithm], venv: VecEnv, policy_kwargs: dict[str, Any], **options: Any) -> Any:
    """An agent that learns from a handful of steps."""
    sizes: dict[str, Any] = {
        PPO: {"n_steps": 16, "batch_size": 16, "n_epochs": 2},
        A2C: {"n_steps": 8},
        DQN: {"buffer_size": 256, "learning_starts": 8, "train_freq": 4, "batch_size": 8, "target_update_interval": 16},
        SAC: {"buffer_size": 256, "learning_starts": 8, "train_freq": 4, "batch_size": 8},
    }[algorithm]
    policy_kwargs = {"net_arch": [8], **policy_kwargs}
    return algorithm("CnnPolicy", venv, policy_kwargs=policy_kwargs, device="cpu", seed=0, **{**sizes, **options})


@pytest.fixture
def level() -> Callable[..., VecEnv]:
    return make_level


@pytest.fixture
def learner() -> Callable[..., Learner]:
    return make_learner


@pytest.fixture
def agent() -> Callable[..., Any]:
    return make_agent


@pytest.fixture
def run(tmp_path: Path) -> str:
    """A run folder with an untrained VASE for RGB frames."""
    save_run(make_learner(), tmp_path / "vase")
    return str(tmp_path / "vase")
