"""Layouts: what a level says of walls and objects is what its agent runs into."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.envs import make_level
from perma_agent.envs.actions import FORWARD, TURN_LEFT
from perma_agent.evaluation.reachable import clearances, reachable_ground

MAZE = {"rows": 2, "columns": 2, "start": "fixed", "randomise": False, "map_seed": 3}


def place(info: dict) -> np.ndarray:
    return np.array([float(info["factors"]["x"][0]), float(info["factors"]["z"][0])])


@pytest.mark.parametrize(
    ("id", "arguments"), [("perma/IndoorMaze-v0", MAZE), ("MiniWorld-FourRooms-v0", {"max_episode_steps": 400})]
)
def test_a_wandering_agent_keeps_to_the_reachable_cells(id, arguments):
    level = make_level(id, **arguments)
    rng = np.random.default_rng(0)
    try:
        _, info = level.reset(seed=1)
        layout = level.unwrapped.layout()
        ground = reachable_ground(layout.walls, start=place(info), radius=layout.radius)
        met = []
        for _ in range(150):
            action = FORWARD if rng.random() < 0.7 else TURN_LEFT
            _, _, terminated, truncated, info = level.step(action)
            if terminated or truncated:
                break
            met.append(place(info))
        assert (clearances(np.array(met), layout.walls) >= layout.radius - 1e-6).all()
        assert len(met) > 50 and (ground.cells_of(np.array(met)) >= 0).all()
    finally:
        level.close()


def test_a_maze_tells_where_its_goal_is_touched():
    level = make_level("perma/IndoorMaze-v0", **MAZE)
    try:
        level.reset(seed=1)
        layout, episode = level.unwrapped.layout(), level.unwrapped.episode
        assert layout.touched.shape == (1, 3) and layout.radius == 0.4
        assert tuple(layout.touched[0, :2]) == episode.plan.items[0].position
        assert layout.touched[0, 2] == episode.reaches[0]
    finally:
        level.close()


@pytest.mark.slow
def test_dooms_walls_enclose_its_rooms_and_the_vest_is_where_it_is_picked_up():
    pytest.importorskip("vizdoom")
    level = make_level("perma/VizdoomMyWayHome-v0")
    rng = np.random.default_rng(0)
    try:
        _, info = level.reset(seed=2)
        layout = level.unwrapped.layout()
        assert layout.touched.tolist() == [[32.5, 11.0, 1.125]]
        ground = reachable_ground(layout.walls, start=place(info), radius=layout.radius)
        assert ground.count == 702  # eight rooms and a corridor
        for _ in range(120):
            _, _, _, _, info = level.step(FORWARD if rng.random() < 0.7 else TURN_LEFT)
            assert clearances(place(info), layout.walls) >= layout.radius - 0.05
            assert ground.cells_of(place(info)[None])[0] >= 0
    finally:
        level.close()
