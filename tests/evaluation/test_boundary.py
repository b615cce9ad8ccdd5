"""Boundaries of curves that are known."""

import numpy as np
import pytest

from perma_agent.evaluation.boundary import boundary, usual_boundary

WEIGHTS = np.linspace(0, 1, 11)


def test_a_straight_line_is_as_smooth_as_the_mixture():
    found = boundary(WEIGHTS, WEIGHTS)
    assert found.centre == pytest.approx(0.5)
    assert found.width == pytest.approx(0.8)


def test_a_step_is_as_wide_as_the_grid_lets_one_see():
    found = boundary(WEIGHTS, (WEIGHTS > 0.65).astype(float))
    assert found.centre == pytest.approx(0.65)
    assert found.width == pytest.approx(0.08)


def test_what_is_not_passed_is_not_there():
    low = boundary(WEIGHTS, 0.6 * WEIGHTS)  # reaches a half at 5/6, and never 0.9
    assert low.centre == pytest.approx(5 / 6)
    assert np.isnan(low.width)
    high = boundary(WEIGHTS, 0.6 + 0.4 * WEIGHTS)  # begins above a half
    assert np.isnan(high.centre)
    assert np.isnan(high.width)


def test_the_first_crossing_counts():
    curve = np.array([0.0, 1.0, 0.0, 1.0])
    assert boundary(np.array([0.0, 0.2, 0.6, 1.0]), curve).centre == pytest.approx(0.1)


def test_the_usual_one_leaves_out_those_that_are_not_there():
    curves = np.stack([WEIGHTS, WEIGHTS > 0.65, np.zeros(11)]).astype(float)
    found = usual_boundary(WEIGHTS, curves)
    assert found.centre == pytest.approx((0.5 + 0.65) / 2)
    assert np.isnan(usual_boundary(WEIGHTS, curves[2:]).centre)
