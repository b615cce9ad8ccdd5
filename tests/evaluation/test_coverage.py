"""Coverage: curves, areas and combinations against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perma_agent.evaluation.coverage import (
    NEVER,
    OCTANTS,
    Coverage,
    Views,
    cell_coverage,
    combinations,
    coverage,
    poses,
    steps_to_first,
)
from perma_agent.evaluation.reachable import Ground

WALLS = np.zeros((1, 2, 2))
GROUND = Ground(corner=(0.0, 0.0), cell=1.0, walks=np.array([[0.0, 1.0], [np.inf, 2.0]]), walls=WALLS)
"""Cells 0 (x, z in [0, 1)), 1 (z in [1, 2)) and 2 (both in [1, 2)); x in [1, 2), z in [0, 1) cannot be reached."""


def test_first_visits_counts_share_area_and_curve_are_those_counted_by_hand():
    found = coverage(np.array([1, 1, -1, 0, 1]), np.array([0, 2, 4, 6, 8]), count=4, total=8)
    assert found.first.tolist() == [6, 0, NEVER, NEVER]
    assert found.visits.tolist() == [1, 3, 0, 0]
    assert found.share == 0.5
    assert found.area == pytest.approx((1.0 + 0.25) / 4)
    assert found.curve(np.array([0, 5, 6, 8])).tolist() == [0.25, 0.25, 0.5, 0.5]
    assert [found.reaching(share) for share in (0.25, 0.3, 0.5, 0.6)] == [0, 6, 6, None]


@given(st.lists(st.integers(-1, 5), min_size=1, max_size=40))
def test_the_area_is_the_sum_under_the_curve(met):
    steps = np.arange(1, len(met) + 1)
    found = coverage(np.array(met), steps, count=6, total=len(met))
    under = found.curve(np.arange(len(met))).mean()  # the curve is constant between two steps
    assert found.area == pytest.approx(under)
    assert 0 <= found.area <= found.share == found.curve(np.array([len(met)]))[0]


def test_cells_are_covered_where_the_agent_stood():
    places = np.array([[0.5, 0.5], [0.5, 1.5], [1.5, 0.5], [5.0, 5.0]])
    found = cell_coverage(GROUND, places, np.arange(4), total=4)
    assert found.first.tolist() == [0, 1, NEVER]


def test_an_octant_takes_in_the_headings_around_it_and_wraps():
    headings = np.deg2rad([0.0, 22.0, -22.0, 23.0, -23.0, 180.0, -180.0, 359.0])
    views = Views(places=np.full((8, 2), 0.5), headings=headings, ahead=np.zeros(8), in_view=np.zeros(8, dtype=bool))
    assert poses(GROUND, views).tolist() == [0, 0, 0, 1, 7, 4, 4, 0]


def test_a_pose_and_a_combination_outside_the_reachable_cells_are_none():
    views = Views(
        places=np.array([[1.5, 0.5], [1.5, 1.5]]), headings=np.zeros(2), ahead=np.ones(2), in_view=np.ones(2, bool)
    )
    assert poses(GROUND, views).tolist() == [-1, 2 * OCTANTS]
    assert combinations(GROUND, views)[0] == -1


def test_combinations_tell_cell_octant_distance_and_sight_apart():
    places = np.array([[0.5, 0.5]] * 5 + [[0.5, 1.5]])
    views = Views(
        places=places,
        headings=np.array([0.0, 0.0, 0.0, 0.0, np.pi, 0.0]),
        ahead=np.array([0.2, 0.9, 1.1, 0.2, 0.2, 0.2]),
        in_view=np.array([False, False, False, True, False, False]),
    )
    found = combinations(GROUND, views).tolist()
    assert found[0] == found[1] and len(set(found)) == 5
    assert min(found) >= 0 and max(found) < GROUND.count * OCTANTS * 6


def test_first_reward_counts_the_steps_of_all_levels():
    happened = np.zeros((5, 4), dtype=bool)
    assert steps_to_first(happened) is None
    happened[2, 3] = True
    assert steps_to_first(happened) == 12


@pytest.mark.parametrize(
    ("things", "steps", "complaint"),
    [
        ([3], [0], "things below 3"),
        ([0, 1], [0], "as many steps"),
        ([0, 1], [2, 1], "do not descend"),
    ],
)
def test_what_cannot_be_covered_is_refused(things, steps, complaint):
    with pytest.raises(ValueError, match=complaint):
        coverage(np.array(things), np.array(steps), count=3, total=4)


@pytest.mark.parametrize(
    ("first", "visits", "total"), [([1], [0], 4), ([NEVER], [2], 4), ([9], [1], 4), ([], [], 4), ([1], [1], 0)]
)
def test_a_coverage_that_contradicts_itself_is_refused(first, visits, total):
    with pytest.raises(ValueError, match="expected"):
        Coverage(first=np.array(first, dtype=np.int64), visits=np.array(visits, dtype=np.int64), total=total)
