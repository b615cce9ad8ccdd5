"""Every level of ours can be solved, and not by chance."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from perma_agent.envs import SUITE, make_level
from perma_agent.envs.suite.oracle import Oracle

LEVELS = [info.id for info in SUITE]


def success(level_id: str, *, episodes: int, oracle: bool) -> float:
    level = make_level(level_id, size=16)
    guide, rng, solved = Oracle(level), np.random.default_rng(0), 0
    for seed in range(episodes):
        level.reset(seed=seed)
        over = False
        while not over:
            _, _, terminated, truncated, info = level.step(guide.action() if oracle else int(rng.integers(5)))
            over = terminated or truncated
        solved += info["is_success"]
    level.close()
    return solved / episodes


@pytest.mark.parametrize("level_id", LEVELS)
def test_oracle_solves_the_level(level_id: str) -> None:
    assert success(level_id, episodes=3, oracle=True) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("level_id", LEVELS)
def test_oracle_solves_it_again_and_again_and_chance_does_not(level_id: str) -> None:
    assert success(level_id, episodes=25, oracle=True) >= 0.95
    assert success(level_id, episodes=25, oracle=False) <= 0.35


def test_oracle_keeps_off_what_costs() -> None:
    level = make_level("perma/IndoorForage-v0", size=16)
    guide, worst = Oracle(level), []
    for seed in range(4):
        level.reset(seed=seed)
        rewards, over = [], False
        while not over:
            _, reward, terminated, truncated, _ = level.step(guide.action())
            rewards.append(reward)
            over = terminated or truncated
        worst.append(min(rewards))
    level.close()
    assert worst == [0.0] * 4


def test_oracle_knows_only_our_levels() -> None:
    with pytest.raises(TypeError, match="expected one of our levels"):
        Oracle(gym.make("CartPole-v1"))
