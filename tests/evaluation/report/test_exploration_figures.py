"""Figures of exploration: what is drawn is what was given, and what cannot be drawn is refused."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.reachable import Ground
from perma_agent.evaluation.report import CoverageSeries, TopDownMap, coverage_curves, png, visit_maps

AT = np.array([0.0, 10.0, 20.0])
FIVE = np.array([[0.0, 0.1, 0.9], [0.0, 0.2, 0.2], [0.0, 0.3, 0.3], [0.0, 0.2, 0.2], [0.0, 0.3, 0.1]])
GROUND = Ground(
    corner=(0.0, 0.0),
    cell=1.0,
    walks=np.array([[0.0, 1.0], [np.inf, 2.0]]),
    walls=np.array([[[0.0, 0.0], [2.0, 0.0]], [[2.0, 0.0], [2.0, 2.0]]]),
)


def test_the_line_is_the_interquartile_mean_within_its_band():
    series = CoverageSeries(at=AT, shares=FIVE)
    assert series.middle.tolist() == pytest.approx([0.0, (0.2 + 0.2 + 0.3) / 3, (0.2 + 0.2 + 0.3) / 3])
    low, high = series.band()
    assert (low <= series.middle).all() and (series.middle <= high).all() and high[2] > low[2]


def test_each_level_has_a_panel_each_arm_a_line_and_two_seeds_no_band():
    figure = coverage_curves(
        {
            "maze": {"RND": CoverageSeries(at=AT, shares=FIVE), "imagination": CoverageSeries(at=AT, shares=FIVE[:2])},
            "rooms": {"RND": CoverageSeries(at=AT, shares=FIVE[:3])},
        },
        along="steps",
        leading="imagination",
    )
    maze, rooms = figure.axes
    assert [line.get_label() for line in maze.get_lines()] == ["RND", "imagination"]
    assert np.allclose(maze.get_lines()[1].get_ydata(), FIVE[:2].mean(axis=0))
    assert len(maze.collections) == len(rooms.collections) == 1 and len(rooms.get_lines()) == 1
    assert maze.get_lines()[1].get_linewidth() > maze.get_lines()[0].get_linewidth()
    assert png(figure) == png(figure)


def test_curves_of_nothing_and_shares_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least one arm"):
        coverage_curves({"maze": {}}, along="steps")
    with pytest.raises(ValueError, match=r"shares \[seeds, K\]"):
        CoverageSeries(at=AT, shares=FIVE[:, :2])


def test_a_map_shows_visits_where_they_were_and_tells_unmet_from_unreachable():
    shown = TopDownMap(title="RND: 67%", ground=GROUND, visits=np.array([5, 0, 9]), start=(0.5, 0.5), goal=(1.5, 1.5))
    figure = visit_maps([shown, shown])
    axes = figure.axes[0]
    empty, heat = (np.ma.filled(image.get_array().astype(float), np.nan) for image in axes.get_images())
    # rows are z, columns x
    assert np.array_equal(np.isnan(empty), [[False, True], [False, False]])
    assert heat[0, 0] == 5 and heat[1, 1] == 9 and np.isnan(heat[1, 0]) and np.isnan(heat[0, 1])
    assert axes.get_title(loc="left") == "RND: 67%"
    assert png(figure) == png(figure)


def test_maps_of_nothing_and_visits_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least one map"):
        visit_maps([])
    with pytest.raises(ValueError, match="visits of the 3 reachable cells"):
        TopDownMap(title="x", ground=GROUND, visits=np.zeros(4), start=(0, 0), goal=(1, 1))
