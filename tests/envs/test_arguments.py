"""What a user can get wrong: one clear sentence, with what is valid."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from perma_agent.envs import factor_specs_of, level_info, make_level
from perma_agent.errors import LevelError


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "validation"}, "expected split to be one of train, test, got 'validation'"),
        ({"size": 8}, "expected size to be a whole number from 16 to 512, got 8"),
        ({"size": "big"}, "expected size to be a whole number from 16 to 512, got 'big'"),
        ({"render_mode": "ansi"}, "expected render_mode to be one of None, human, rgb_array, got 'ansi'"),
        ({"view": "behind"}, "expected view to be one of agent, top, got 'behind'"),
        ({"map_seed": -1}, "expected map_seed to be a whole number from 0"),
        ({"rows": 99}, "expected rows to be a whole number from 1 to 16, got 99"),
        ({"wors": 2}, "expected arguments among .*rows.*split.*, got wors"),
        ({"task": "sleep"}, "expected task to be one of maze, forage, deferred, got 'sleep'"),
        ({"setting": "space"}, "expected setting to be one of indoor, outdoor, got 'space'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*render_mode.*")
def test_bad_argument_of_ours(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LevelError, match=words) as caught:
        gym.make("perma/IndoorMaze-v0", **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 8}, "expected size to be"),
        ({"split": "test"}, "expected arguments among engine_arguments, render_mode, size, view, got split"),
        ({"engine_arguments": {"sise": 3}}, "expected arguments that MiniWorld's OneRoom takes .*size"),
        ({"engine_arguments": 3}, "expected engine_arguments to be a mapping"),
    ],
)
def test_bad_argument_of_the_engines(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LevelError, match=words):
        make_level("MiniWorld-OneRoom-v0", **arguments)


def test_unknown_level_names_the_nearest() -> None:
    with pytest.raises(LevelError, match=r"'perma/IndoorMazes-v0'; did you mean perma/IndoorMaze-v0"):
        make_level("perma/IndoorMazes-v0")
    with pytest.raises(LevelError, match="MiniWorld-Hallway-v0"):
        level_info("MiniWorld-Halway-v0")


def test_window_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    level = make_level("perma/IndoorMaze-v0", render_mode="human")
    level.reset(seed=0)
    with pytest.raises(LevelError, match="expected a display for render_mode 'human'"):
        level.render()
    level.close()


def test_level_without_factors() -> None:
    with pytest.raises(LevelError, match="expected a level that reports factors, got CartPoleEnv"):
        factor_specs_of(gym.make("CartPole-v1"))


def test_use_before_reset_and_foreign_actions() -> None:
    level = make_level("perma/IndoorMaze-v0").unwrapped
    with pytest.raises(LevelError, match="call reset"):
        level.episode  # noqa: B018
    level.reset(seed=0)
    with pytest.raises(ValueError, match="expected an action from 0 to 4, got 5"):
        level.step(5)
    level.close()


def test_engine_arguments_reach_the_engine() -> None:
    level = make_level("MiniWorld-OneRoom-v0", engine_arguments={"size": 4})
    _, info = level.reset(seed=0)
    assert {spec.name: spec.high for spec in factor_specs_of(level)}["x"] == 4
    assert np.abs(info["factors"]["x"]) <= 4
    level.close()


def test_map_seed_keeps_the_walls_and_randomise_off_keeps_the_looks() -> None:
    level = make_level("perma/OutdoorMaze-v0", map_seed=3, randomise=False, start="fixed")
    frames, walls, goals, lights = [], [], [], []
    for seed in range(3):
        frame, info = level.reset(seed=seed)
        frames.append(frame)
        walls.append(level.unwrapped.episode.plan.blocks)
        goals.append(level.unwrapped.episode.plan.items[0].position)
        lights.append(float(info["factors"]["light"][0]))
    level.close()
    assert len(set(walls)) == 1 and len(set(goals)) == 3 and len(set(lights)) == 1
    assert np.abs(frames[0].astype(int) - frames[1]).mean() < 5  # the same place, but for the object if it is in sight


@pytest.mark.parametrize("steps", [0, -1, "x", 2.5, True])
def test_time_limit_that_is_no_number_of_steps(steps: object):
    with pytest.raises(LevelError, match="expected max_episode_steps of perma/IndoorMaze-v0 as a whole number"):
        make_level("perma/IndoorMaze-v0", max_episode_steps=steps)
