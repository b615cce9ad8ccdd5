"""GAE with a bonus: what PPO learns from is what a calculation by hand says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perma_agent.studies.exploration import gae_check as module
from perma_agent.studies.exploration.gae_check import GAMMA, LAMBDA, VALUES, advantages, gae_check
from perma_agent.wrappers import BonusReward, bonus_reward


def test_advantages_and_returns_are_those_of_the_definition() -> None:
    found = gae_check(seed=1)
    assert found.error <= 1e-6
    assert found.terminations > 0
    assert found.time_limits > 0


def test_a_bonus_added_after_gae_is_not_the_same_thing() -> None:
    assert gae_check(seed=1).added_after > 0.05


def test_the_calculation_by_hand_of_two_steps() -> None:
    """Stay at the first place, then move on, in the last two steps of a rollout."""
    found, steps, ends = advantages(np.array([0, 1]), weigh=True)
    first = 0.5 * (0.05 * 0 - 0.03) + 0.8 * 0.1 + GAMMA * 0.1 - 0.1
    second = 0.5 * 0.0 + 0.8 * (1 - 2 / 100) * (0.1 + 0.07) + GAMMA * -0.2 - 0.1
    assert steps == [(0, 0), (0, 1)] and ends == [0, 0]
    assert found == pytest.approx([first + GAMMA * LAMBDA * second, second])


def test_the_calculation_by_hand_of_both_kinds_of_end() -> None:
    terminated, _, ends = advantages(np.array([1, 1, 1, 1, 0]), weigh=False)
    assert ends == [0, 0, 0, 1, 0]
    assert terminated[3] == pytest.approx(0.5 * 0.15 - VALUES[3])
    limited, _, ends = advantages(np.array([0] * 10), weigh=False)
    assert ends == [0] * 8 + [2, 0]
    assert limited[8] == pytest.approx(0.5 * -0.03 + GAMMA * VALUES[0] - VALUES[0])


def test_the_check_fails_where_a_bonus_crosses_an_episodes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bonus_reward, "_with_last", lambda observations, dones, infos: observations)
    assert gae_check(seed=1).error > 0.01


def test_the_check_fails_where_the_bonus_comes_a_step_late(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(BonusReward):
        def step_wait(self) -> Any:
            observations, rewards, dones, infos = super().step_wait()
            now = rewards.copy()
            late = getattr(self, "last", now)
            self.__dict__["last"] = now
            return observations, late, dones, infos

    monkeypatch.setattr(module, "BonusReward", Late)
    assert gae_check(seed=1).error > 0.01
