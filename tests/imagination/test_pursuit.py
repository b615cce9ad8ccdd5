"""Pursuit: distances by hand."""

from __future__ import annotations

import numpy as np
import pytest

from perma_agent.imagination.pursuit import Pursuits, metric


def test_replaced_latents_weigh_as_much_together_however_many_are_kept() -> None:
    spread = np.array([2.0, 1.0, 1.0, 1.0])
    replaced = np.array([[True, False, False, False]])
    weights = metric(spread, replaced=replaced, kept=~replaced, kept_weight=0.5)[0]
    assert weights == pytest.approx([1 / 4 / 1.5, 0.5 / 3 / 1.5, 0.5 / 3 / 1.5, 0.5 / 3 / 1.5])
    assert metric(spread, replaced=replaced, kept=replaced & False, kept_weight=0.5)[0] == pytest.approx(
        [0.25, 0, 0, 0]
    )


def test_a_goal_one_spread_away_in_every_latent_is_at_distance_one() -> None:
    pursuits = Pursuits(2, 2)
    pursuits.donors[0] = [5, 5]
    pursuits.start(
        0, code=np.array([2.0, 1.0]), weights=np.array([1 / 8, 1 / 2]), near=np.array([0.2, 0.1]), here=np.zeros(2)
    )
    codes = np.zeros((2, 2), dtype=np.float32)
    assert pursuits.distance(codes).tolist() == [1.0, 0.0]  # the second level has no goal
    assert pursuits.radius[0] == pytest.approx(np.sqrt(0.04 / 8 + 0.01 / 2))


def test_only_latents_that_had_a_way_to_go_count_as_tried() -> None:
    pursuits = Pursuits(1, 3)
    pursuits.donors[0] = [-1, 4, 4]
    near = np.full(3, 0.1)
    pursuits.start(0, code=np.array([1.0, 1.0, 1.0]), weights=np.ones(3), near=near, here=np.array([0.0, 0.95, 0.0]))
    assert pursuits.tried[0].tolist() == [False, False, True]
    pursuits.follow(np.array([[1.0, 1.0, 0.0]]))
    assert not pursuits.came.any()
    pursuits.follow(np.array([[0.0, 0.0, 1.05]]))
    pursuits.follow(np.array([[0.0, 0.0, 3.0]]))
    assert pursuits.came[0].tolist() == [False, False, True] and pursuits.steps[0] == 3
