"""The dm_env adapter with worlds that are not ours: a dm_control maze on EGL, and Memory Maze, where installed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from perma_agent.envs import ACTIONS
from perma_agent.envs.dm_env.adapter import DMEnvLevel
from perma_agent.envs.factors import factor_specs, outside_range

TABLE = ((0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 0.0))
"""Roll and steer of the ball, for our five actions."""


@pytest.fixture(autouse=True)
def off_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    if "MUJOCO_GL" not in os.environ:
        monkeypatch.setenv("MUJOCO_GL", "egl")


def maze(seed: int) -> Any:
    """A random maze under the sky, a rolling ball with a camera, a sphere to find; two seconds."""
    import labmaze
    from dm_control import composer
    from dm_control.locomotion.arenas import labmaze_textures, mazes
    from dm_control.locomotion.props import target_sphere
    from dm_control.locomotion.tasks import random_goal_maze
    from dm_control.locomotion.walkers import jumping_ball

    rooms = {"max_rooms": 1, "room_min_size": 3, "room_max_size": 3, "spawns_per_room": 1, "objects_per_room": 1}
    arena = mazes.MazeWithTargets(  # dm_control's RandomMazeWithTargets draws its seed from numpy's global generator
        labmaze.RandomMaze(width=7, height=7, random_seed=seed, **rooms),
        xy_scale=2.0,
        skybox_texture=labmaze_textures.SkyBox(style="sky_03"),
        wall_textures=labmaze_textures.WallTextures(style="style_01"),
        floor_textures=labmaze_textures.FloorTextures(style="style_01"),
    )
    task = random_goal_maze.RepeatSingleGoalMaze(
        walker=jumping_ball.RollingBallWithHead(),
        maze_arena=arena,
        target=target_sphere.TargetSphere(radius=0.3, height_above_ground=0.3),
        max_repeats=1,
        physics_timestep=0.005,
        control_timestep=0.1,
    )
    return composer.Environment(task, time_limit=2, random_state=np.random.RandomState(seed))


def pose(environment: Any) -> dict[str, Any]:
    """The ball's place and heading in our convention: z is MuJoCo's -y."""
    bound = environment.physics.bind(environment.task.root_entity.mjcf_model.find("body", "walker/head_body"))
    (x, y, _), (a, _, _, b, _, _, _, _, _) = bound.xpos, bound.xmat
    return {"x": x, "z": -y, "heading": np.arctan2(b, a)}


def test_locomotion_arena_with_its_egocentric_camera() -> None:
    pytest.importorskip("dm_control")
    specs = {spec.name: spec for spec in factor_specs(low=(-20, -20), high=(20, 20))}
    level = DMEnvLevel(
        make=maze,
        frame="walker/egocentric_camera",
        actions=TABLE,
        factors=pose,
        factor_specs=(specs["x"], specs["z"], specs["heading"]),
    )
    assert level.action_space.n == len(ACTIONS)
    frames, poses, flags = [], [], (False, False)
    frame, info = level.reset(seed=4)
    while not any(flags):
        frames.append(frame)
        poses.append(info["factors"])
        assert frame.dtype == np.uint8 and frame.shape == (64, 64, 3) and frame.std() > 5
        assert outside_range(info["factors"], level.factor_specs) == []
        frame, _, *flags, info = level.step(ACTIONS.index("turn_left"))
    assert tuple(flags) == (False, True) and info["discount"] == 1.0  # time, not the task, ended it
    assert 19 <= len(frames) <= 22
    turned = np.unwrap(np.concatenate([values["heading"] for values in poses]))
    assert turned[5] > turned[0] + 0.05  # left is anticlockwise
    again, _ = level.reset(seed=4)
    assert np.array_equal(again, frames[0])
    assert not np.array_equal(level.reset(seed=5)[0], again)
    level.close()


def test_memory_maze() -> None:
    pytest.importorskip("dm_control")
    pytest.importorskip("gym")  # its package imports it when loaded
    tasks = pytest.importorskip("memory_maze.tasks")
    noop, forward, left, right = 0, 1, 2, 3
    level = DMEnvLevel(
        make=lambda seed: tasks.memory_maze_9x9(seed=seed), frame="image", actions=(left, right, forward, noop, noop)
    )
    first, _ = level.reset(seed=1)
    assert first.shape == (64, 64, 3) and first.std() > 5
    frames = [level.step(0)[0] for _ in range(3)]
    assert not np.array_equal(frames[0], frames[2])
    assert np.array_equal(level.reset(seed=1)[0], first)
    level.close()
