"""One action space: what each number does in our levels and in the engine's."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs import ACTIONS, make_level
from perma_agent.envs.actions import BACK, FORWARD, TURN_LEFT, TURN_RIGHT, USE
from perma_agent.envs.miniworld.level import SIGN_END
from perma_agent.envs.suite.plan import FORWARD_STEP, TURN_STEP


def pose(info: dict) -> np.ndarray:
    return np.array([info["factors"][name][0] for name in ("x", "z", "heading")])


def test_steps_and_turns_are_as_stated() -> None:
    level = make_level("perma/IndoorForage-v0", obstacles=0, side=20.0)
    _, info = level.reset(seed=1)
    before = pose(info)
    ahead = FORWARD_STEP * np.array([np.cos(before[2]), -np.sin(before[2])])
    after = pose(level.step(FORWARD)[4])
    assert after == pytest.approx([*(before[:2] + ahead), before[2]], abs=1e-5)
    assert pose(level.step(BACK)[4]) == pytest.approx(before, abs=1e-5)
    turned = pose(level.step(TURN_LEFT)[4])[2] - before[2]
    assert np.cos(turned) == pytest.approx(np.cos(np.deg2rad(TURN_STEP)), abs=1e-5) and np.sin(turned) > 0
    assert pose(level.step(TURN_RIGHT)[4]) == pytest.approx(before, abs=1e-5)
    assert pose(level.step(USE)[4]) == pytest.approx(before, abs=1e-5)
    level.close()


def test_what_an_engines_level_does_not_know_makes_the_agent_wait() -> None:
    level = make_level("MiniWorld-Hallway-v0")
    _, info = level.reset(seed=0)
    for action in (BACK, USE):
        assert pose(level.step(action)[4]) == pytest.approx(pose(info), abs=1e-6)
    moved = pose(level.step(FORWARD)[4])[:2] - pose(info)[:2]
    assert np.hypot(*moved) == pytest.approx(0.15, abs=1e-5)
    level.close()


def test_use_picks_up_and_puts_down() -> None:
    level = make_level("MiniWorld-PutNext-v0").unwrapped
    level.reset(seed=0)
    world = level._world
    box = level._world.entities[0]
    box.pos = world.agent.pos + world.agent.dir_vec * 1.3
    _, _, _, _, info = level.step(USE)
    assert world.agent.carrying is box
    assert info["factors"]["object_visible"][0] > 0
    level.step(USE)
    assert world.agent.carrying is None
    level.close()


def test_touching_ends_sign_and_so_does_use() -> None:
    level = make_level("MiniWorld-Sign-v0")
    _, info = level.reset(seed=0)
    assert info["goal"] == 0 and SIGN_END == 3
    assert level.step(TURN_LEFT)[2] is False
    _, _, terminated, _, info = level.step(USE)
    assert terminated and not info["is_success"]
    level.close()


def test_success_of_an_engines_level_is_an_end_with_a_reward() -> None:
    level = make_level("MiniWorld-OneRoom-v0").unwrapped
    level.reset(seed=0)
    world = level._world
    world.agent.pos = np.array([5.0, 0.0, 5.0])
    world.box.pos = world.agent.pos + world.agent.dir_vec * 1.1
    _, reward, terminated, _, info = level.step(USE)
    assert terminated and reward > 0.9 and info["is_success"]
    assert level.reset(seed=1)[1]["is_success"] is False
    level.close()


def test_more_than_eight_objects_show_the_eight_nearest() -> None:
    level = make_level("MiniWorld-CollectHealth-v0")
    _, info = level.reset(seed=0)
    away = np.hypot(*info["factors"]["object_position"].T)
    kits = [entity for entity in level.unwrapped._world.entities if entity is not level.unwrapped._world.agent]
    all_away = sorted(float(np.hypot(*(kit.pos - level.unwrapped._world.agent.pos)[[0, 2]])) for kit in kits)
    assert len(kits) == 18 and info["factors"]["object_present"].tolist() == [1] * 8
    assert away == pytest.approx(all_away[:8], abs=1e-4)
    level.close()


def test_actions_have_names() -> None:
    assert ACTIONS == ("turn_left", "turn_right", "forward", "back", "use")
