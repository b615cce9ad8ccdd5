"""Latent traces: values by hand, over the ends of episodes, and resumed."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.sb3 import LatentTrace


class Counting(gym.Env[np.ndarray, int]):
    """Shows 10, 20, 30, … and minus that; an episode has three steps."""

    observation_space = spaces.Box(-100.0, 100.0, (2,), dtype=np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.shown = 1
        return self._look(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.shown += 1
        return self._look(), 0.0, self.shown == 4, False, {}

    def _look(self) -> np.ndarray:
        return np.array([10.0, -10.0], dtype=np.float32) * self.shown


def traced(copies: int = 1, **how: Any) -> LatentTrace:
    return LatentTrace(DummyVecEnv([Counting] * copies), **how)


def stepped(venv: LatentTrace) -> tuple[np.ndarray, list[dict[str, Any]]]:
    observations, _, _, infos = venv.step(np.zeros(venv.num_envs, dtype=int))
    assert isinstance(observations, np.ndarray)
    return observations, infos


def test_a_trace_is_the_mean_that_forgets_and_begins_anew_with_each_episode():
    venv = traced(copies=2, decay=0.5)
    assert np.array_equal(venv.reset(), [[10, -10, 10, -10]] * 2)
    assert np.array_equal(stepped(venv)[0], [[20, -20, 15, -15]] * 2)
    assert np.array_equal(stepped(venv)[0], [[30, -30, 22.5, -22.5]] * 2)
    observations, infos = stepped(venv)
    assert np.array_equal(infos[0]["terminal_observation"], [40, -40, 31.25, -31.25])
    assert infos[1]["terminal_observation"].dtype == np.float32
    assert np.array_equal(observations, [[10, -10, 10, -10]] * 2)
    assert np.array_equal(stepped(venv)[0], [[20, -20, 15, -15]] * 2)


def test_without_memory_it_is_the_code():
    venv = traced(decay=0.0)
    venv.reset()
    for _ in range(5):
        observations, _ = stepped(venv)
        assert np.array_equal(observations[:, :2], observations[:, 2:])


def test_its_space_holds_both_and_its_state_resumes():
    venv, other = traced(copies=2), traced(copies=2)
    assert venv.observation_space == spaces.Box(-100.0, 100.0, (4,), dtype=np.float32)
    for each in (venv, other):
        each.reset()
    stepped(venv)
    other.venv.step(np.zeros(2, dtype=int))
    other.resume_from(venv.resume_state())
    assert np.array_equal(stepped(venv)[0], stepped(other)[0])


def test_an_agent_of_sb3_learns_on_it():
    agent = PPO("MlpPolicy", traced(copies=2), n_steps=8, batch_size=8, n_epochs=1, device="cpu")
    agent.learn(32)
    assert agent.num_timesteps == 32


def test_what_it_cannot_trace_is_refused():
    class Pictures(Counting):
        observation_space = spaces.Box(0, 255, (3, 8, 8), dtype=np.uint8)

    with pytest.raises(ValueError, match=r"observations that are vectors, .* wrap the levels in EncodedObservation"):
        LatentTrace(DummyVecEnv([Pictures]))
    with pytest.raises(ValueError, match=r"decay in \[0, 1\), got 1"):
        traced(decay=1.0)
