"""Imagination reward: the wrapper with its bonus, loaded late, over codes and over frames."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import save_run
from perma_agent.errors import RunFolderError
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.models import VASE, VASEConfig
from perma_agent.wrappers import BonusReward, ImaginationReward

SMALL = ImaginationConfig(enough=16, imagined=32, judged=8, horizon=10, least_plausible=0.0)


class Slide(gymnasium.Env[np.ndarray, int]):
    """A bright column that the agent pushes left and right before a grey wall."""

    action_space = spaces.Discrete(2)
    observation_space = spaces.Box(0, 255, (16, 16, 1), np.uint8)

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.place, self.steps = int(self.np_random.integers(12)), 0
        return self._frame(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.place, self.steps = int(np.clip(self.place + 2 * action - 1, 0, 12)), self.steps + 1
        return self._frame(), 0.25, False, self.steps >= 15, {}

    def _frame(self) -> np.ndarray:
        frame = np.full((16, 16, 1), 30, dtype=np.uint8)
        frame[:, self.place : self.place + 4] = 220
        return frame


@pytest.fixture
def run(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    model = VASE(VASEConfig(channels=1, image_size=16, filters=(4, 4), hidden=8, latents=3, likelihood="bernoulli"))
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    save_run(Learner(model), tmp_path / "vase")
    return tmp_path / "vase"


def play(venv: ImaginationReward, steps: int) -> list[np.ndarray]:
    rng, paid = np.random.default_rng(0), []
    venv.reset()
    for _ in range(steps):
        observations, rewards, dones, infos = venv.step(rng.integers(2, size=venv.num_envs))
        assert isinstance(observations, dict) and observations["goal"].shape == (venv.num_envs, 3)
        assert all(info["level_reward"] == 0.25 for info in infos)
        assert all("goal" in info["terminal_observation"] for info, done in zip(infos, dones, strict=True) if done)
        paid.append(rewards - 0.25)
    return paid


def test_frames_are_encoded_and_progress_is_paid(run: Path) -> None:
    venv = DummyVecEnv([Slide] * 2)
    venv.seed(0)
    paid = ImaginationReward(venv, run, config=SMALL, learn_every=16, normalise="none", weight=2.0)
    assert isinstance(paid, BonusReward) and paid.bonus.config.run == run
    rewards = np.array(play(paid, 80))
    assert not rewards[:16].any() and rewards[16:].any()
    assert {row["what"] for row in paid.realisable()} <= {"kind", "latent"} and paid.realisable()


def test_the_policy_may_be_left_to_guess(run: Path) -> None:
    venv = DummyVecEnv([Slide])
    paid = ImaginationReward(venv, run, config=SMALL, show_goal=False)
    assert paid.observation_space == venv.observation_space


def test_a_missing_run_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        ImaginationReward(DummyVecEnv([Slide]), tmp_path / "none")
