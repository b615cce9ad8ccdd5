"""Direction, L1, L2 and Hoyer-Square: hand-worked values, exact gradients, and changes of any size."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from perma_agent.objectives import hoyer_square, l1_change, l2_change, permanence, permanence_direction

quick = settings(deadline=None, max_examples=60)
changes = st.lists(st.sampled_from([0.0, 0.5, -1.0, 2.0, -3.0]), min_size=2, max_size=8)
exponents = st.floats(-45, 30)
FUNCTIONS = {"direction": permanence_direction, "l1": l1_change, "l2": l2_change, "hoyer-square": hoyer_square}


def slope_of(function, change: Tensor) -> Tensor:
    change = change.clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(change).sum(), change)
    return slope


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("direction", [1.0, 1.4, 1.0, 1.0]),
        ("l1", [2.0, 7.0, 0.0, 4.0]),
        ("l2", [4.0, 25.0, 0.0, 16.0]),
        ("hoyer-square", [1.0, 1.96, 1.0, 1.0]),
    ],
)
def test_values(name: str, values: list[float]) -> None:
    change = torch.tensor([[2.0, 0.0], [3.0, -4.0], [0.0, 0.0], [0.0, -4.0]])
    assert FUNCTIONS[name](change).tolist() == pytest.approx(values)


def test_gradient_of_direction_by_hand() -> None:
    # sign - 7/5 (3/5, -4/5) = (1 - .84, -1 + 1.12); a single moving latent, and none, are left alone
    slope = slope_of(permanence_direction, torch.tensor([[3.0, -4.0], [300.0, -400.0], [0.0, 2.0], [0.0, 0.0]]))
    torch.testing.assert_close(slope, torch.tensor([[0.16, 0.12], [0.16, 0.12], [0.0, 0.0], [0.0, 0.0]]))


@quick
@given(changes, exponents)
def test_direction_neither_shrinks_nor_grows_a_change_of_any_size(change: list[float], exponent: float) -> None:
    delta = torch.tensor(change, dtype=torch.float64)
    slope = slope_of(permanence_direction, (delta * 10.0**exponent).float())
    assert abs(float(slope.double() @ delta)) <= 1e-5 * float(delta.norm()) * math.sqrt(len(change))


@quick
@given(changes, st.floats(-25, 30))
def test_length_of_the_gradient_of_direction(change: list[float], exponent: float) -> None:
    delta = torch.tensor(change)
    slope = slope_of(permanence_direction, delta * 10.0**exponent)
    moving = int((delta != 0).sum())
    expected = max(moving - float(permanence(delta, b=0.0)) ** 2, 0.0) if moving else 0.0
    assert float(slope.norm()) ** 2 == pytest.approx(expected, abs=1e-5)


@quick
@given(changes)
def test_direction_is_the_gradient_of_p_0_times_the_length(change: list[float]) -> None:
    delta = torch.tensor(change, dtype=torch.float64)
    of_p_0 = slope_of(lambda change: permanence(change, b=0.0), delta)
    torch.testing.assert_close(slope_of(permanence_direction, delta), of_p_0 * delta.norm())


@quick
@given(changes)
def test_direction_is_the_gradient_of_its_surrogate(change: list[float]) -> None:
    delta = torch.tensor(change, dtype=torch.float64)

    def surrogate(change: Tensor) -> Tensor:
        return change.abs().sum() - permanence(change, b=0.0).detach() * torch.linalg.vector_norm(change)

    torch.testing.assert_close(slope_of(permanence_direction, delta), slope_of(surrogate, delta))


def test_small_steps_along_direction_make_a_change_sparse_and_keep_its_length() -> None:
    change = torch.tensor([1.0, 0.7, 0.4])
    before = change.norm()
    for _ in range(2000):
        change = change - 1e-3 * slope_of(permanence_direction, change)
    assert float(change.norm()) == pytest.approx(float(before), rel=0.01)  # each step is tangential
    assert float(permanence(change, b=0.0)) < 1.01 and float(change[0]) > 1.2


@quick
@given(changes)
def test_hoyer_square_is_between_1_and_the_number_of_moving_latents(change: list[float]) -> None:
    moving = max(sum(x != 0 for x in change), 1)
    value = float(hoyer_square(torch.tensor(change)))
    assert 1 - 1e-6 <= value <= moving * (1 + 1e-6)
    alike = [2.0 if x else 0.0 for x in change]
    assert float(hoyer_square(torch.tensor(alike))) == pytest.approx(moving)


@pytest.mark.parametrize("name", ["l1", "l2", "hoyer-square"])
def test_gradients_in_double_precision(name: str) -> None:
    change = torch.tensor([[1.0, -0.5, 2.0], [0.3, 0.2, -0.1]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(FUNCTIONS[name], (change,))


@quick
@given(st.sampled_from(list(FUNCTIONS)), changes, exponents, st.sampled_from([torch.float32, torch.bfloat16]))
def test_no_size_of_change_breaks_a_member(name: str, change: list[float], exponent: float, dtype: torch.dtype) -> None:
    delta = (torch.tensor(change, dtype=torch.float64) * 10.0**exponent).to(dtype)
    value, slope = FUNCTIONS[name](delta), slope_of(FUNCTIONS[name], delta)
    assert value.dtype == torch.float32 and slope.dtype == dtype
    assert torch.isfinite(slope).all() and not value.isnan()
    assert torch.isfinite(value) or (name == "l2" and exponent > 18)  # whose square float32 cannot hold
    if not any(change):
        assert not slope.any()
