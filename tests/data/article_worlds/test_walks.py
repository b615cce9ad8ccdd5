"""Walks turn around at the ends, leave uniform factors uniform, and move who shall move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perma_agent.data.article_worlds.walks import laplace_steps, one_mover, reflect, wrap


@pytest.mark.parametrize(("free", "folded"), [(0.3, 0.3), (1.2, 0.8), (-0.8, 0.8), (2.8, 0.8), (-0.1, 0.1), (2.1, 0.1)])
def test_reflection_by_hand(free: float, folded: float) -> None:
    assert reflect(np.array(free)) == pytest.approx(folded)


@given(st.floats(-20, 20), st.floats(0, 1e-3))
def test_reflection_stays_in_range_and_never_jumps(free: float, little: float) -> None:
    here, there = reflect(np.array([free, free + little]))
    assert 0 <= here <= 1
    assert abs(there - here) <= little + 1e-9


def test_wrapping_by_hand() -> None:
    np.testing.assert_allclose(wrap(np.array([0.2, 1.2, -0.8, 3.0])), [0.2, 0.2, 0.2, 0.0], atol=1e-12)


def test_laplace_steps_are_symmetric_and_of_the_mean_length_asked_for() -> None:
    steps = laplace_steps((200, 500), 0.15, np.random.default_rng(0))
    assert np.abs(steps).mean() == pytest.approx(0.15, rel=0.02)
    assert steps.mean() == pytest.approx(0, abs=0.003)
    assert (np.abs(steps) > 0.45).mean() == pytest.approx(np.exp(-3), rel=0.05)  # the tail of the law


@pytest.mark.parametrize("together", [0.0, 0.25, 1.0])
def test_one_object_moves_or_all_do(together: float) -> None:
    moving = one_mover((4_000, 5), 3, together=together, rng=np.random.default_rng(1))
    movers = moving.sum(axis=2)
    assert set(np.unique(movers)) <= {1, 3}
    assert (movers == 3).mean() == pytest.approx(together, abs=0.015)
    np.testing.assert_allclose(moving.mean(axis=(0, 1)), together + (1 - together) / 3, atol=0.015)
