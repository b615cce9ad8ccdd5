"""Reachable ground: rooms whose cells can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.reachable import Ground, clearances, reachable_ground


def box(x0: float, z0: float, x1: float, z1: float) -> np.ndarray:
    a, b, c, d = (x0, z0), (x1, z0), (x1, z1), (x0, z1)
    return np.array([[a, b], [b, c], [c, d], [d, a]], dtype=np.float64)


def test_a_room_is_reached_but_for_the_agents_radius_along_its_walls():
    # 4 × 3 m, radius 0.5: the middle keeps to [0.5, 3.5] × [0.5, 2.5], which is 6 × 4 cells of half a metre
    ground = reachable_ground(box(0, 0, 4, 3), start=np.array([1.0, 1.0]), radius=0.5)
    assert ground.count == 24
    assert ground.reachable[1:7, 1:5].all() and ground.walks.shape == (8, 6)
    assert ground.corner == (0.0, 0.0)


def test_a_wall_without_a_door_hides_what_is_behind_it_and_a_door_shows_it():
    whole = np.array([[[2.0, 0.0], [2.0, 3.0]]])
    door = np.array([[[2.0, 0.0], [2.0, 1.0]], [[2.0, 2.2], [2.0, 3.0]]])  # 1.2 m wide for an agent of 0.8 m
    start = np.array([1.0, 1.5])
    shut = reachable_ground(np.concatenate([box(0, 0, 4, 3), whole]), start=start, radius=0.4)
    open_ = reachable_ground(np.concatenate([box(0, 0, 4, 3), door]), start=start, radius=0.4)
    assert not shut.reachable[4:].any() and shut.reachable[1:3, 1:5].all()
    assert open_.reachable[5:7, 1:5].all()
    narrow = np.array([[[2.0, 0.0], [2.0, 1.2]], [[2.0, 1.8], [2.0, 3.0]]])  # 0.6 m: too narrow
    blocked = reachable_ground(np.concatenate([box(0, 0, 4, 3), narrow]), start=start, radius=0.4)
    assert not blocked.reachable[4:].any()


def test_nobody_gets_behind_a_goal_that_fills_the_corridor():
    corridor, start = box(0, 0, 8, 2), np.array([1.0, 1.0])
    everything = reachable_ground(corridor, start=start, radius=0.4)
    goal = np.array([[4.0, 1.0, 1.0]])
    ended = reachable_ground(corridor, start=start, radius=0.4, ends=goal)
    assert everything.reachable[10:15, 1].all()
    assert not ended.reachable[7:].any() and ended.reachable[1:6, 1].all()


def test_walks_count_metres_along_both_axes():
    ground = reachable_ground(box(0, 0, 6, 2), start=np.array([1.05, 1.05]), radius=0.4)
    cells = ground.cells_of(np.array([[1.05, 1.05], [4.25, 1.05]]))
    walks = ground.walks[ground.reachable][cells]
    assert walks[0] == 0.0
    assert walks[1] == pytest.approx(4.05 - 1.05, abs=0.11)  # to the cell's nearest point, 4.0 to 4.1 m


def test_places_are_numbered_row_by_row_and_those_elsewhere_are_none():
    walks = np.array([[np.inf, 1.0], [0.0, 2.0]])
    ground = Ground(corner=(-1.0, 5.0), cell=0.5, walks=walks, walls=box(-1, 5, 0, 6))
    places = np.array([[-0.9, 5.6], [-0.4, 5.1], [-0.1, 5.9], [-0.9, 5.1], [0.1, 5.1], [-1.1, 5.6], [-0.5, 5.0]])
    assert ground.cells_of(places).tolist() == [0, 1, 2, -1, -1, -1, 1]


def test_who_slides_along_a_wall_is_in_the_cell_beside_the_sliver():
    # 4 × 3 m, radius 0.4: the middle keeps to [0.4, 3.6] × [0.4, 2.6]; the slivers of 0.1 m do not count
    ground = reachable_ground(box(0, 0, 4, 3), start=np.array([1.0, 1.0]), radius=0.4)
    assert ground.count == 24
    along = np.array([[0.41, 1.2], [0.61, 1.2], [0.41, 0.41], [3.59, 2.59], [0.2, 1.2], [-0.01, 1.2]])
    assert ground.cells_of(along).tolist() == [1, 1, 0, 23, -1, -1]


def test_clearance_is_the_distance_to_the_nearest_point_of_a_wall():
    walls = np.array([[[0.0, 0.0], [2.0, 0.0]]])
    points = np.array([[1.0, 0.5], [3.0, 0.0], [-3.0, -4.0]])
    assert clearances(points, walls).tolist() == pytest.approx([0.5, 1.0, 5.0])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"start": np.array([9.0, 1.0])}, "start inside the walls"),
        ({"start": np.array([0.05, 1.0])}, "start inside the walls"),
        ({"walls": np.zeros((0, 2, 2))}, "expected walls"),
        ({"cell": 0.25}, "multiple of 0.1"),
    ],
)
def test_what_cannot_be_flooded_is_refused_in_one_sentence(change, complaint):
    arguments = {"walls": box(0, 0, 4, 3), "start": np.array([1.0, 1.0]), "radius": 0.4, **change}
    with pytest.raises(ValueError, match=complaint):
        reachable_ground(**arguments)


def test_ground_without_a_reachable_cell_is_refused():
    with pytest.raises(ValueError, match="one of them reachable"):
        Ground(corner=(0.0, 0.0), cell=0.5, walks=np.full((2, 2), np.inf), walls=box(0, 0, 1, 1))
