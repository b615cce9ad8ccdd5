"""Replayable level: an episode under way is taken up in another process exactly, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import SubprocVecEnv

from perma_agent.envs import make_level
from perma_agent.errors import LevelError
from perma_agent.wrappers import RecordTrajectories, ReplayableLevel, TolerantVecEnv


class Dice(gym.Env[np.ndarray, np.int64]):
    """Shows the sum of throws; an episode ends at 20. The dice go on over episodes."""

    def __init__(self, *, sides: int = 6) -> None:
        self.observation_space = gym.spaces.Box(0, 100, (1,), np.float64)
        self.action_space = gym.spaces.Discrete(3)
        self.sides, self.sum = sides, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.sum = float(self.np_random.integers(self.sides)) + (options or {}).get("bonus", 0)
        return np.array([self.sum]), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.sum += int(action) * float(self.np_random.integers(self.sides))
        return np.array([self.sum]), self.sum, self.sum >= 20, False, {}


class Secret(Dice):
    """Draws from a generator of its own."""

    secret = np.random.default_rng()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        observation, *rest = super().step(action)
        return (observation + self.secret.random(), *rest)


class SecretReward(Dice):
    """Shows the same, but pays by chance."""

    secret = np.random.default_rng()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict]:
        observation, _, *rest = super().step(action)
        return (observation, self.secret.random(), *rest)


def play(level: gym.Env[Any, Any], actions: list[int], *, seed: int | None = 0) -> list[Any]:
    shown = [level.reset(seed=seed)[0]]
    for action in actions:
        observation, _, terminated, truncated, _ = level.step(np.int64(action))
        shown.append(observation)
        if terminated or truncated:
            shown.append(level.reset()[0])
    return shown


def through_json(state: dict[str, Any] | None) -> dict[str, Any]:
    """A state as it comes back from a file."""
    assert state is not None
    plain = {name: value for name, value in state.items() if name != "actions"}
    return json.loads(json.dumps(plain)) | {"actions": state["actions"].copy()}


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_what_follows_is_what_would_have_followed(actions: list[int], seed: int) -> None:
    level, other = ReplayableLevel(Monitor(Dice())), ReplayableLevel(Monitor(Dice()))
    play(level, actions, seed=seed)
    replayed = other.replay(through_json(level.episode_state()), keep=True)
    assert len(replayed.steps) == 1 + len(level.episode_state()["actions"])  # type: ignore[index]
    assert replayed.observation == np.array([level.unwrapped.sum])  # type: ignore[attr-defined]
    assert other.episode_state()["digest"] == level.episode_state()["digest"]  # type: ignore[index]
    assert level.env.rewards == other.env.rewards  # type: ignore[attr-defined]  # Monitor's running return
    np.testing.assert_equal(*[each.step(np.int64(2))[:4] for each in (level, other)])
    np.testing.assert_equal(level.reset()[0], other.reset()[0])  # and the generator goes on from there


def test_a_reset_with_options_is_made_again_with_them() -> None:
    level, other = ReplayableLevel(Dice()), ReplayableLevel(Dice())
    level.reset(seed=1)
    level.reset(options={"bonus": 7})
    other.replay(through_json(level.episode_state()))
    assert other.unwrapped.sum == level.unwrapped.sum >= 7  # type: ignore[attr-defined]
    with pytest.raises(LevelError, match="expected options of JSON values"):
        level.reset(options={"bonus": object()})


def test_counts_of_wrappers_inside_come_out_right() -> None:
    level, other = (ReplayableLevel(gym.wrappers.TimeLimit(Dice(), 9)) for _ in range(2))
    play(level, [0] * 5)
    other.replay(through_json(level.episode_state()))
    ends = [other.step(np.int64(0))[3] for _ in range(4)]
    assert ends == [False, False, False, True]


@pytest.mark.parametrize("kind", [Secret, SecretReward])
def test_a_level_with_a_will_of_its_own_is_refused(kind: type[Dice]) -> None:
    level = ReplayableLevel(kind())
    play(level, [1, 1])
    with pytest.raises(LevelError, match="to show the same again over the 2 steps of its episode"):
        ReplayableLevel(kind()).replay(through_json(level.episode_state()))


def test_another_level_is_refused() -> None:
    level = ReplayableLevel(Dice())
    play(level, [0])
    with pytest.raises(LevelError, match="expected the level <Dice instance>"):
        ReplayableLevel(Secret()).replay(through_json(level.episode_state()))
    with pytest.raises(LevelError, match="to show the same again"):
        ReplayableLevel(Dice(sides=9)).replay(through_json(level.episode_state()))
    odd = through_json(level.episode_state())
    odd["generator"] = json.dumps({**json.loads(odd["generator"]), "bit_generator": "MT19937"})
    with pytest.raises(LevelError, match="expected a level whose np_random is a MT19937, got PCG64"):
        ReplayableLevel(Dice()).replay(odd)


def test_no_recorder_inside(tmp_path: Path) -> None:
    level = RecordTrajectories(make_level("perma/IndoorMaze-v0", rows=1, columns=1), tmp_path / "store")
    with pytest.raises(ValueError, match="expected no RecordTrajectories inside ReplayableLevel"):
        ReplayableLevel(level)
    level.close()


def test_before_the_first_reset_there_is_nothing() -> None:
    assert ReplayableLevel(Dice()).episode_state() is None


@pytest.mark.parametrize(
    "name", ["perma/IndoorMaze-v0", "perma/OutdoorForage-v0", "MiniWorld-CollectHealth-v0", "perma/VizdoomBasic-v0"]
)
def test_every_engine_shows_the_same_again(name: str) -> None:
    if "Vizdoom" in name:
        pytest.importorskip("vizdoom")
    levels = [ReplayableLevel(make_level(name, max_episode_steps=12)) for _ in range(2)]
    actions = np.random.default_rng(0).integers(0, levels[0].action_space.n, 30).tolist()  # type: ignore[attr-defined]
    play(levels[0], actions, seed=3)
    assert len(levels[0].episode_state()["actions"])  # type: ignore[index]
    levels[1].replay(through_json(levels[0].episode_state()))
    for action in (0, 1, 2, 2):
        np.testing.assert_array_equal(*[level.step(action)[0] for level in levels])
    np.testing.assert_array_equal(*[level.reset()[0] for level in levels])
    for level in levels:
        level.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SubprocVecEnv, TolerantVecEnv])
def test_levels_in_other_processes(kind: Any) -> None:
    def venv() -> Any:
        options = {"start_method": "spawn"} if kind is SubprocVecEnv else {}
        if kind is TolerantVecEnv:
            return TolerantVecEnv([make_pendulum] * 2)
        return make_vec_env("Pendulum-v1", 2, vec_env_cls=kind, vec_env_kwargs=options, wrapper_class=ReplayableLevel)

    from perma_agent.sb3.state.level_state import level_state, restore_levels

    first, second = venv(), venv()
    try:
        first.seed(3)
        first.reset()
        for _ in range(5):
            first.step(np.ones((2, 1), np.float32))
        second.reset()
        restore_levels(second, level_state(first))
        np.testing.assert_array_equal(*[each.step(np.ones((2, 1), np.float32))[0] for each in (first, second)])
        if kind is TolerantVecEnv:
            assert level_state(first)["workers"] == level_state(second)["workers"]
    finally:
        first.close()
        second.close()


def make_pendulum() -> gym.Env[Any, Any]:
    return ReplayableLevel(Monitor(gym.make("Pendulum-v1")))
