"""Switched levels: the step that reaches the switch ends every episode, and shows the other world."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.studies.sb3.switched_levels import SwitchedLevels

Make = Callable[[int], DummyVecEnv]


def test_the_world_changes_once_and_episodes_under_way_are_cut_as_by_a_time_limit(pictures: Make) -> None:
    venv = SwitchedLevels(pictures(0), pictures(200), at=7)
    venv.seed(3)
    assert venv.reset().max() < 40
    told = []
    for step in range(1, 14):
        frames, rewards, dones, infos = venv.step(np.zeros(2, dtype=np.int64))
        assert (frames.min() >= 200) == (step >= 7) and rewards.tolist() == [1.0, 1.0]
        told.append(dones.tolist())
        if step == 7:
            assert all(info["TimeLimit.truncated"] and info["terminal_observation"].max() < 40 for info in infos)
            assert not any("episode" in info for info in infos)  # nobody is told a return that was cut short
    ended = [number for number, dones in enumerate(told, start=1) if all(dones)]
    assert ended == [5, 7, 12]  # the second world's episodes begin at the switch
    venv.close()


def test_an_episode_that_ends_by_itself_at_the_switch_is_left_as_it_is(pictures: Make) -> None:
    venv = SwitchedLevels(pictures(0), pictures(200), at=5)
    venv.reset()
    for _ in range(5):
        infos = venv.step(np.zeros(2, dtype=np.int64))[3]
    assert all(info["episode"]["r"] == 5.0 and not info["TimeLimit.truncated"] for info in infos)


def test_the_second_worlds_episodes_do_not_depend_on_when_it_is_reached(pictures: Make) -> None:
    first = []
    for at in (1, 3):
        venv = SwitchedLevels(pictures(0), pictures(200), at=at)
        venv.seed(0)
        venv.reset()
        for _ in range(at):
            frames = venv.step(np.zeros(2, dtype=np.int64))[0]
        first.append(frames)
    assert np.array_equal(*first)


def test_worlds_that_differ_in_number_are_refused(pictures: Make) -> None:
    with pytest.raises(ValueError, match="as many copies with the same spaces"):
        SwitchedLevels(pictures(0), DummyVecEnv([lambda: pictures(0).envs[0]]), at=1)
    with pytest.raises(ValueError, match="at least one step before the switch"):
        SwitchedLevels(pictures(0), pictures(1), at=0)
