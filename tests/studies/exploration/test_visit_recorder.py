"""The recorder: what it notes, and that nothing that passes through is touched."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.studies.exploration.visit_recorder import VisitRecorder


class Line(gym.Env[np.ndarray, Any]):
    """Walks along x by half a metre a step; the third step ends the episode with a reward, the second of odd ones."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, start: float) -> None:
        self._start, self._x = start, start

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._x = self._start
        return self._seen(), self._info(False)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._x += 0.5
        ended = self._x >= self._start + 1.5
        return self._seen(), float(ended), ended, False, self._info(ended)

    def _seen(self) -> np.ndarray:
        return np.array([self._x], dtype=np.float32)

    def _info(self, succeeded: bool) -> dict[str, Any]:
        one = lambda value: np.array([value], dtype=np.float32)  # noqa: E731
        factors = {"x": one(self._x), "z": one(2.0), "heading": one(0.5), "distance_ahead": one(3.0)}
        return {"factors": {**factors, "object_visible": np.array([0.0, 0.25])}, "is_success": succeeded}


def levels() -> DummyVecEnv:
    return DummyVecEnv([lambda: Monitor(Line(0.0)), lambda: Monitor(Line(10.0))])


def test_every_step_and_every_beginning_is_noted_in_order():
    recorder = VisitRecorder(levels())
    recorder.reset()
    for _ in range(4):
        recorder.step(np.zeros(2, dtype=int))
    log = recorder.log()
    # at 6 steps both episodes end at +1.5, and begin anew in the same moment
    assert log.steps.tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 6, 6, 8, 8]
    assert log.views.places[:, 0].tolist() == [0, 10, 0.5, 10.5, 1, 11, 1.5, 0, 11.5, 10, 0.5, 10.5]
    assert (log.views.places[:, 1] == 2.0).all() and np.allclose(log.views.headings, 0.5)
    assert log.views.in_view.all() and (log.views.ahead == 3.0).all()
    assert log.rewards.tolist() == [[0, 0], [0, 0], [1, 1], [0, 0]]
    assert np.array_equal(log.ended, log.rewards > 0) and np.array_equal(log.succeeded, log.ended)
    assert log.total == 8 and (np.diff(log.seconds) >= 0).all()


def test_what_passes_through_is_what_the_levels_say():
    bare, recorder = levels(), VisitRecorder(levels())
    assert np.array_equal(bare.reset(), recorder.reset())
    for _ in range(7):
        expected, got = bare.step(np.zeros(2, dtype=int)), recorder.step(np.zeros(2, dtype=int))
        for one, other in zip(expected[:3], got[:3], strict=True):
            assert np.array_equal(one, other)
        for one, other in zip(expected[3], got[3], strict=True):
            assert set(one) == set(other) and one["is_success"] == other["is_success"]


def test_what_the_recorder_notes_does_not_change_with_the_rewards_outside():
    recorder = VisitRecorder(levels())
    recorder.reset()
    _, rewards, _, _ = recorder.step(np.zeros(2, dtype=int))
    rewards += 5.0
    assert (recorder.log().rewards == 0.0).all()


def test_there_is_no_log_before_the_first_step():
    recorder = VisitRecorder(levels())
    recorder.reset()
    with pytest.raises(ValueError, match="step them first"):
        recorder.log()
