"""The agent's circle never enters a wall, slides along it, and comes round corners."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.envs.suite.maze import Maze
from perma_agent.envs.suite.motion import slide
from perma_agent.envs.suite.plan import AGENT_RADIUS, FORWARD_STEP, Block, clearance

ROOM = Block(low=(-3.0, -3.0), high=(3.0, 3.0)).segments()


def step(position: tuple[float, float], shift: tuple[float, float], segments: np.ndarray = ROOM) -> np.ndarray:
    return slide(np.array(position), np.array(shift), segments=segments, radius=AGENT_RADIUS)


def test_free_ground_is_walked_straight() -> None:
    assert step((0.0, 0.0), (0.24, -0.32)) == pytest.approx([0.24, -0.32])


def test_square_against_a_wall_it_stops_before_it() -> None:
    assert step((2.5, 0.0), (0.4, 0.0)) == pytest.approx([2.6, 0.0], abs=2e-3)


def test_aslant_it_slides_along_the_wall() -> None:
    assert step((2.6, 0.0), (0.28, 0.28)) == pytest.approx([2.6, 0.28], abs=3e-3)


def test_corner_is_rounded_and_not_stuck_to() -> None:
    block = np.concatenate([ROOM, Block(low=(-1.0, -1.0), high=(0.0, 0.0)).segments()])
    position = np.array([0.35, 0.5])  # the corner (0, 0) stands a little to the side of the way up
    for _ in range(4):
        position = slide(position, np.array([0.0, -0.4]), segments=block, radius=AGENT_RADIUS)
    assert position[1] < -0.7 and position[0] >= AGENT_RADIUS - 1e-9


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), headings=st.lists(st.floats(-np.pi, np.pi), min_size=1, max_size=25))
def test_no_walk_ever_enters_a_wall(seed: int, headings: list[float]) -> None:
    plan = Maze(rows=3, columns=3).plan(layout=np.random.default_rng(seed), placement=np.random.default_rng(seed))
    segments, position = plan.segments(), np.array(plan.start[:2])
    for heading in headings:
        shift = FORWARD_STEP * np.array([np.cos(heading), -np.sin(heading)])
        following = slide(position, shift, segments=segments, radius=AGENT_RADIUS)
        assert clearance(following, segments) >= AGENT_RADIUS - 1e-9
        assert np.hypot(*(following - position)) <= 2 * FORWARD_STEP
        assert (np.abs(following) < plan.half_extent).all()
        position = following
