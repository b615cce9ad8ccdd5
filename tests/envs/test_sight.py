"""What can be seen, against distances worked out by hand and against the pixels that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.envs import make_level
from perma_agent.envs.sight import Bodies, Eye, body_distances, directions, egocentric, look, wall_distances
from perma_agent.envs.suite.oracle import Oracle
from perma_agent.envs.suite.plan import Block

SQUARE = Block(low=(-5.0, -5.0), high=(5.0, 5.0)).segments()


def eye(heading: float = 0.0, *, at: tuple[float, float] = (0.0, 0.0), pitch: float = 0.0) -> Eye:
    return Eye(position=np.array(at), heading=heading, height=1.35, pitch=pitch, field_of_view=70.0)


def bodies(*places: tuple[float, float], radius: float = 0.5, top: float = 1.0) -> Bodies:
    count = len(places)
    return Bodies(
        positions=np.array(places).reshape(-1, 2),
        radii=np.full(count, radius),
        bottoms=np.zeros(count),
        tops=np.full(count, top),
    )


def test_egocentric_places_by_hand() -> None:
    # heading 0 looks along +x and has +z on its right; heading π/2 looks along -z and has +x on its right
    place = np.array([[3.0, 1.0]])
    assert egocentric(place, origin=np.zeros(2), heading=0.0) == pytest.approx(np.array([[3.0, 1.0]]))
    assert egocentric(place, origin=np.zeros(2), heading=np.pi / 2) == pytest.approx(np.array([[-1.0, 3.0]]))


def test_wall_distances_by_hand() -> None:
    rays = directions(np.array([0.0, np.pi / 2, np.pi / 4]))
    # from (1, 0): 4 m to the wall at x = 5, 5 m to z = -5, 4·√2 along the diagonal
    assert wall_distances(np.array([1.0, 0.0]), rays, SQUARE) == pytest.approx([4.0, 5.0, 4.0 * np.sqrt(2)])


def test_ray_past_the_end_of_a_wall_meets_nothing() -> None:
    segment = np.array([[[2.0, 1.0], [2.0, 3.0]]])
    rays = directions(np.array([0.0, -np.arctan2(2.0, 2.0), np.pi]))
    assert wall_distances(np.zeros(2), rays, segment) == pytest.approx([np.inf, np.hypot(2, 2), np.inf])


def test_ray_along_a_wall_meets_only_what_stands_across() -> None:
    corridor = np.array([[[-9.0, 0.0], [9.0, 0.0]], [[4.0, -1.0], [4.0, 1.0]]])
    assert wall_distances(np.zeros(2), directions(np.array([0.0])), corridor) == pytest.approx([4.0])


def test_body_distances_by_hand() -> None:
    two = bodies((3.0, 0.0), (0.0, -2.0))
    near = body_distances(np.zeros(2), directions(np.array([0.0, np.pi / 2, np.pi])), two)
    assert near == pytest.approx(np.array([[2.5, np.inf], [np.inf, 1.5], [np.inf, np.inf]]))


def test_look_sees_what_is_before_it_and_not_what_is_behind_or_beside() -> None:
    ahead, seen = look(eye(), bodies((3.0, 0.0), (-3.0, 0.0), (0.0, 3.0)), SQUARE)
    assert ahead == pytest.approx(2.5)
    assert seen.tolist() == [1.0, 0.0, 0.0]


def test_walls_and_nearer_objects_hide_what_is_behind() -> None:
    wall = Block(low=(2.0, -1.0), high=(2.4, 0.05)).segments()  # covers the half of the object on the left
    _, seen = look(eye(), bodies((4.0, 0.0)), np.concatenate([SQUARE, wall]))
    assert seen.tolist() == [pytest.approx(0.4)]
    _, seen = look(eye(), bodies((2.0, 0.0), (4.0, 0.0)), SQUARE)
    assert seen.tolist() == [1.0, 0.0]


def test_an_object_at_the_feet_is_below_the_picture() -> None:
    # 0.3 m of gap, top at 1 m: 49° down; the picture ends 35° down, or 65° with the camera tilted by -30°
    assert look(eye(), bodies((0.8, 0.0)), SQUARE)[1].tolist() == [0.0]
    assert look(eye(pitch=-30.0), bodies((0.8, 0.0)), SQUARE)[1].tolist() == [1.0]


def test_without_objects_only_the_distance_is_left() -> None:
    ahead, seen = look(eye(np.pi), bodies(), SQUARE)
    assert ahead == pytest.approx(5.0) and seen.shape == (0,)


@settings(max_examples=50, deadline=None)
@given(
    turn=st.floats(-np.pi, np.pi),
    places=st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=1, max_size=6),
)
def test_turning_the_whole_world_changes_nothing(turn: float, places: list[tuple[float, float]]) -> None:
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, -sin], [sin, cos]])  # a heading h becomes h + turn
    around = np.array(places) @ rotation
    before = look(eye(0.3), bodies(*places), SQUARE)
    after = look(eye(0.3 + turn), bodies(*map(tuple, around)), SQUARE @ rotation)
    assert after[0] == pytest.approx(before[0], abs=1e-6)
    assert np.abs(after[1] - before[1]).max() <= 0.2 + 1e-9  # a ray on the very edge may fall either way


@pytest.mark.parametrize("level_id", ["perma/IndoorForage-v0", "perma/OutdoorForage-v0"])
def test_visible_means_pixels(level_id: str) -> None:
    """Yellow objects: those seen by the factors are seen in the frame, and the other way round."""
    level = make_level(level_id, bad=0, good=3, obstacles=4, randomise=False)
    oracle, agree, frames, seen_often = Oracle(level), 0, 0, 0
    for seed in range(3):
        frame, info = level.reset(seed=seed)
        for step in range(40):
            red, green, blue = (frame[..., channel].astype(int) for channel in range(3))
            pixels = int(((red > 90) & (green > 70) & (blue < 60) & (red > green) & (abs(red - green) < 70)).sum())
            share = float(info["factors"]["object_visible"].max())
            frames += 1
            agree += (share > 0) == (pixels > 6)
            seen_often += share > 0
            frame, _, over, _, info = level.step(oracle.action() if step % 4 else 0)
            if over:
                break
    level.close()
    assert 0.2 < seen_often / frames < 0.95
    assert agree / frames > 0.95
