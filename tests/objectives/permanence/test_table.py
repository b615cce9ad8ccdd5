"""The table of properties in the package's docstring: each "yes" on any change, each "no" by a counter-example."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from perma_agent.objectives import (
    hoyer_square,
    l1_change,
    l2_change,
    laplace_transition,
    permanence,
    permanence_direction,
)
from perma_agent.types import Posterior

RATE = 6.0
BIAS = 0.1


def laplace(change: Tensor) -> Tensor:
    """At σ = 1."""
    wide = Posterior(change.unsqueeze(0), torch.zeros(1, len(change), dtype=change.dtype))
    still = Posterior(torch.zeros_like(wide.mean), wide.log_variance)
    return laplace_transition(wide, still, torch.ones(len(change)), rate=RATE).squeeze(0)


MEMBERS: dict[str, Callable[[Tensor], Tensor]] = {
    "p_b, b = 0": lambda change: permanence(change, b=0.0),
    "p_b, b > 0": lambda change: permanence(change, b=BIAS),
    "direction": permanence_direction,
    "l1": l1_change,
    "l2": l2_change,
    "hoyer-square": hoyer_square,
    "laplace": laplace,
    "none": lambda change: 0.0 * change.detach().sum() + (change - change.detach()).sum() * 0.0,
}
RANGES: dict[str, Callable[[int], tuple[float, float]]] = {
    "[1, √D]": lambda d: (1.0, math.sqrt(d)),
    "[1, D]": lambda d: (1.0, float(d)),
    "[0, ∞)": lambda d: (0.0, math.inf),
    "0": lambda d: (0.0, 0.0),
}
STEEPEST: dict[str, Callable[[int, float], float]] = {
    "√D / ||Δ||₂": lambda d, length: math.sqrt(d) / length,
    "2 √D / b": lambda d, length: 2 * math.sqrt(d) / BIAS,
    "√D": lambda d, length: math.sqrt(d),
    "2 ||Δ||₂": lambda d, length: 2 * length,
    "D / ||Δ||₂": lambda d, length: d / length,
    "λ √D": lambda d, length: RATE * math.sqrt(d),
    "0": lambda d, length: 0.0,
}


def rows() -> dict[str, dict[str, str]]:
    documentation = importlib.import_module("perma_agent.objectives.permanence").__doc__
    table = [[cell.strip() for cell in line.split(" | ")] for line in documentation.splitlines() if " | " in line]
    header, *body = table
    return {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in body}


TABLE = rows()
quick = settings(deadline=None, max_examples=25)
each_member = pytest.mark.parametrize("name", list(MEMBERS))
sizes = st.sampled_from([0.5, -0.5, 1.0, -1.0, 2.0, -3.0])
moving = st.lists(sizes, min_size=2, max_size=6)
changes = st.lists(st.one_of(sizes, st.just(0.0)), min_size=2, max_size=6).filter(any)


def value(name: str, change: list[float] | Tensor) -> float:
    return float(MEMBERS[name](torch.as_tensor(change, dtype=torch.float64)).detach())


def gradient(name: str, change: list[float]) -> tuple[Tensor, Tensor]:
    delta = torch.tensor(change, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(MEMBERS[name](delta), delta)
    return delta.detach(), slope


def without(change: list[float], index: int) -> Tensor:
    """The change with one component 0, at its old length."""
    sparser = torch.tensor(change, dtype=torch.float64)
    length = sparser.norm()
    sparser[index] = 0.0
    return sparser * (length / sparser.norm())


def test_the_table_has_a_row_for_each_member() -> None:
    assert list(TABLE) == list(MEMBERS)
    assert {cell for row in TABLE.values() for cell in list(row.values())[:7]} == {"yes", "no"}


@each_member
def test_1_differentiable_almost_everywhere(name: str) -> None:
    assert TABLE[name]["1"] == "yes"

    @quick
    @given(moving)
    def holds(change: list[float]) -> None:
        delta, slope = gradient(name, change)
        step = 1e-6 * torch.eye(len(change), dtype=torch.float64)
        numeric = torch.tensor([(value(name, delta + row) - value(name, delta - row)) / 2e-6 for row in step])
        if name == "direction":  # its value's gradient, at a length that does not depend on the change's
            numeric = numeric * delta.norm()
        torch.testing.assert_close(slope, numeric.to(slope.dtype), rtol=1e-5, atol=1e-7)

    holds()


@each_member
def test_2_even_and_3_symmetric(name: str) -> None:
    assert TABLE[name]["2"] == TABLE[name]["3"] == "yes"

    @quick
    @given(changes, st.randoms(use_true_random=False))
    def holds(change: list[float], random) -> None:
        turned = [random.choice([-1, 1]) * x for x in change]
        assert value(name, turned) == pytest.approx(value(name, change))
        random.shuffle(turned)
        assert value(name, turned) == pytest.approx(value(name, change))

    holds()


@each_member
def test_4_never_smaller_where_a_component_grows(name: str) -> None:
    @quick
    @given(changes, st.integers(0, 5), st.floats(0.01, 10))
    def holds(change: list[float], index: int, growth: float) -> None:
        assume(index < len(change))
        grown = [x + math.copysign(growth, x) if n == index else x for n, x in enumerate(change)]
        assert value(name, grown) >= value(name, change) - 1e-12

    if TABLE[name]["4"] == "yes":
        holds()
    else:
        assert value(name, [2.0, 1.0]) < value(name, [1.0, 1.0]) - 0.01


@each_member
def test_5_no_member_is_always_smaller_where_a_component_is_zeroed_at_equal_length(name: str) -> None:
    assert TABLE[name]["5"] == "no"
    assert value(name, without([10.0, 1.0, 1.0], 0)) >= value(name, [10.0, 1.0, 1.0]) - 1e-9
    if TABLE[name]["5, smallest"] == "yes":  # it rises
        assert value(name, without([10.0, 1.0, 1.0], 0)) > value(name, [10.0, 1.0, 1.0]) + 0.1


@each_member
def test_5_the_smallest_component_may_go(name: str) -> None:
    @quick
    @given(changes)
    def holds(change: list[float]) -> None:
        assume(sum(x != 0 for x in change) > 1)
        smallest = min((abs(x), index) for index, x in enumerate(change) if x)[1]
        sparser = without(change, smallest)
        if TABLE[name]["5, smallest"] == "yes":
            assert value(name, sparser) < value(name, change) - 1e-9
        else:
            assert value(name, sparser) == pytest.approx(value(name, change))

    holds()


@each_member
def test_whether_a_step_shrinks_the_change(name: str) -> None:
    @quick
    @given(moving)
    def holds(change: list[float]) -> None:
        delta, slope = gradient(name, change)
        radial = float(slope @ delta)
        assert radial > 1e-3 if TABLE[name]["shrinks"] == "yes" else radial == pytest.approx(0.0, abs=1e-12)

    holds()


@each_member
def test_range_and_longest_gradient(name: str) -> None:
    @quick
    @given(changes, st.floats(-4, 4))
    def holds(change: list[float], exponent: float) -> None:
        scaled = [x * 10.0**exponent for x in change]
        low, high = RANGES[TABLE[name]["range"]](len(change))
        assert low * (1 - 1e-12) <= value(name, scaled) <= high * (1 + 1e-12)
        delta, slope = gradient(name, scaled)
        assert float(slope.norm()) <= STEEPEST[TABLE[name]["longest gradient"]](len(change), float(delta.norm())) * (
            1 + 1e-9
        )

    holds()


def test_why_no_continuous_symmetric_function_has_property_5() -> None:
    # The two sides of the proof, on a function that meets the first demand: 1 = P(√2, 0, 0) < P(0, 1, 1) = √2, while
    # P(δ, ε, ε) is as near to 1 as one likes.
    for epsilon in (1e-2, 1e-4, 1e-6):
        nearly_one = [math.sqrt(2 - 2 * epsilon**2), epsilon, epsilon]
        torch.testing.assert_close(without(nearly_one, 0), torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64))
        assert value("p_b, b = 0", nearly_one) == pytest.approx(1.0, abs=2 * epsilon)
