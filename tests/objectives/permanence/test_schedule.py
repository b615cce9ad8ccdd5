"""Courses of b, and weights of offsets, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.objectives import PermanenceConfig
from perma_agent.objectives.permanence import scheduled_b, weigh_offsets

quick = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ({"b": 0.3}, [0.3, 0.3, 0.3, 0.3]),
        ({"b": 1.0, "b_end": 0.01, "b_steps": 100}, [1.0, 0.1, 0.01, 0.01]),  # a factor 10 in 50 steps
        ({"b": 0.01, "b_end": 1.0, "b_steps": 100}, [0.01, 0.1, 1.0, 1.0]),
        ({"b": 1.0, "b_end": 0.0, "b_steps": 100, "b_course": "linear"}, [1.0, 0.5, 0.0, 0.0]),
    ],
)
def test_course_of_b(settings: dict, values: list[float]) -> None:
    config = PermanenceConfig(**settings)
    assert [scheduled_b(config, step=step) for step in (0, 50, 100, 10**6)] == pytest.approx(values)


def test_factors_by_hand() -> None:
    # Factors 1, 3, 0, 1 over their mean 5/4
    values, offsets = torch.tensor([1.0, 1.0, 5.0, 2.0]), np.array([1, 5, 10, 2])
    weighed = weigh_offsets(values, offsets, factors=((5, 3.0), (10, 0.0)))
    assert weighed.tolist() == pytest.approx([0.8, 2.4, 0.0, 1.6])
    assert float(weighed.mean()) == pytest.approx((1 + 3 + 0 + 2) / 5)  # the weighted mean


@quick
@given(st.lists(st.tuples(st.floats(0, 10, width=32), st.integers(1, 3)), min_size=1, max_size=8), st.floats(0.01, 100))
def test_equal_factors_change_nothing(pairs: list[tuple[float, int]], factor: float) -> None:
    values, offsets = torch.tensor([x for x, _ in pairs]), torch.tensor([o for _, o in pairs])
    factors = [(offset, factor) for offset in (1, 2, 3)]
    torch.testing.assert_close(weigh_offsets(values, offsets, factors=factors), values)


@quick
@given(st.lists(st.floats(1, 3, width=32), min_size=4, max_size=4), st.lists(st.floats(0, 9), min_size=2, max_size=2))
def test_the_mean_stays_within_the_values(values: list[float], factors: list[float]) -> None:
    offsets = torch.tensor([1, 2, 3, 3])
    mean = float(weigh_offsets(torch.tensor(values), offsets, factors=tuple(enumerate(factors, start=1))).mean())
    assert min(values) * (1 - 1e-5) <= mean <= max(values) * (1 + 1e-5)


def test_without_factors_the_values_are_left_alone() -> None:
    values = torch.randn(3)
    assert weigh_offsets(values, torch.tensor([1, 2, 3]), factors=()) is values


def test_a_batch_of_which_nothing_counts_costs_nothing() -> None:
    values = torch.tensor([1.0, 2.0], requires_grad=True)
    weighed = weigh_offsets(values, torch.tensor([4, 4]), factors=((4, 0.0),))
    weighed.sum().backward()
    assert weighed.tolist() == [0.0, 0.0] and values.grad.tolist() == [0.0, 0.0]


def test_one_offset_for_each_pair() -> None:
    with pytest.raises(ValueError, match=r"^expected one offset for each of 3 pairs, got 2$"):
        weigh_offsets(torch.ones(3), np.ones(2), factors=())
