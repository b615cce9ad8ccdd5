"""Figures of a run against a log whose figures can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.evaluation.coverage import Views
from perma_agent.studies.exploration.measuring import POINTS, measure_run
from perma_agent.studies.exploration.visit_recorder import VisitLog


def log_of(places: list[list[float]], *, rewards: list[float], ended: list[bool]) -> VisitLog:
    """One level; each place after one step, the first before any."""
    count = len(places)
    views = Views(
        places=np.array(places), headings=np.zeros(count), ahead=np.full(count, 2.0), in_view=np.zeros(count, bool)
    )
    done = np.array(ended)[:, None]
    paid = np.array(rewards)[:, None]
    return VisitLog(
        steps=np.arange(count),
        views=views,
        rewards=paid,
        ended=done,
        succeeded=done & (paid > 0),
        seconds=0.5 * np.arange(1, count),
    )


def test_figures_are_those_counted_by_hand(surveyed):
    places = [[0.25, 0.25], [0.75, 0.25], [0.25, 0.25], [0.25, 0.75], [9.0, 9.0]]
    ended = [False, True, False, True]
    found = measure_run(surveyed, log_of(places, rewards=[0, 0, 0, 1], ended=ended)).figures
    assert found["coverage"] == pytest.approx(3 / 18)
    assert found["coverage_area"] == pytest.approx((1 + 3 / 4 + 1 / 4) / 18)
    assert found["pose_coverage"] == pytest.approx(3 / (18 * 8)) and found["combinations"] == 3
    assert (found["first_reward"], found["first_reward_capped"]) == (4, 4)
    assert (found["episodes"], found["success"]) == (2, 1.0)
    assert found["steps_per_second"] == pytest.approx(4 / 2.0)
    assert found["walk_to_goal"] == surveyed.walk


def test_a_run_without_reward_counts_with_its_length_and_one_without_episodes_has_no_success(surveyed):
    found = measure_run(surveyed, log_of([[0.25, 0.25]] * 4, rewards=[0] * 3, ended=[False] * 3)).figures
    assert (found["first_reward"], found["first_reward_capped"], found["success"]) == (None, 3, None)


def test_curves_end_with_the_figures_and_time_goes_with_the_steps(surveyed):
    places = [[0.25 + 0.5 * (step % 9), 0.25] for step in range(81)]
    measured = measure_run(surveyed, log_of(places, rewards=[0] * 80, ended=[False] * 80))
    series = measured.series
    assert len(series["steps"]) == POINTS and series["steps"][-1] == 80
    assert series["coverage_curve"][-1] == pytest.approx(measured.figures["coverage"], abs=1e-5)
    assert series["combinations_curve"][-1] == measured.figures["combinations"]
    assert series["seconds"][0] == 0.0 and series["seconds"][-1] == pytest.approx(40.0)
    assert np.allclose(np.diff(series["seconds"]), 1.0)
