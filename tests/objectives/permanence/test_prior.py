"""P_b: values worked out by hand, what holds of it, what the article asks for and it does not give, its gradient."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from perma_agent.objectives import normalised_permanence, permanence

quick = settings(deadline=None, max_examples=60)
components = st.floats(-10, 10, width=32).map(lambda x: 0.0 if abs(x) < 1e-3 else x)
changes = st.lists(components, min_size=2, max_size=8)
biases = st.sampled_from([0.0, 0.1, 1.0])


def p(*change: float, b: float = 0.0) -> float:
    return float(permanence(torch.tensor(change), b=b))


def naive(change: Tensor, b: float) -> Tensor:
    return (change.abs().sum(-1) + b) / (change.pow(2).sum(-1).sqrt() + b)


@pytest.mark.parametrize(
    ("change", "b", "value"),
    [
        ((3.0, 0.0), 0.0, 1.0),  # one latent changes
        ((3.0, 0.0), 0.5, 1.0),  # (3 + .5) / (3 + .5)
        ((1.0, 1.0), 0.0, 1.41421356),  # 2 / √2
        ((3.0, -4.0), 0.0, 1.4),  # 7 / 5
        ((3.0, -4.0), 1.0, 1.33333333),  # 8 / 6
        ((0.0, 0.0), 0.1, 1.0),
        ((0.0, 0.0), 0.0, 1.0),
    ],
)
def test_values(change: tuple[float, ...], b: float, value: float) -> None:
    assert p(*change, b=b) == pytest.approx(value, rel=1e-6)


def test_one_bias_for_each_change() -> None:
    both = permanence(torch.tensor([[3.0, 4.0], [3.0, 4.0]]), b=torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(both, torch.tensor([7 / 5, 8 / 6]))


@quick
@given(changes, biases, st.randoms(use_true_random=False))
def test_even_in_each_component_and_symmetric(change: list[float], b: float, random) -> None:
    turned = [random.choice([-1, 1]) * x for x in change]
    random.shuffle(turned)
    assert p(*turned, b=b) == pytest.approx(p(*change, b=b), rel=1e-5)


@quick
@given(changes, biases)
def test_between_one_and_the_root_of_the_number_of_latents(change: list[float], b: float) -> None:
    assert 1.0 - 1e-6 <= p(*change, b=b) <= math.sqrt(len(change)) * (1 + 1e-6)


@quick
@given(st.lists(st.sampled_from([0.0, 0.5, -1.0, 3.0]), min_size=2, max_size=8))
def test_least_where_one_latent_changes_and_only_there(change: list[float]) -> None:
    assert (p(*change) < 1 + 1e-5) == (sum(x != 0 for x in change) < 2)


@quick
@given(st.lists(st.sampled_from([0.5, -1.0, 3.0]), min_size=2, max_size=8))
def test_greatest_where_all_change_alike_and_only_there(change: list[float]) -> None:
    assert (p(*change) > math.sqrt(len(change)) - 1e-5) == (len({abs(x) for x in change}) == 1)


@quick
@given(changes, st.floats(-20, 20))
def test_scale_invariant_without_bias(change: list[float], exponent: float) -> None:
    scaled = permanence(torch.tensor(change) * 10.0**exponent, b=0.0)
    assert float(scaled) == pytest.approx(p(*change), rel=1e-4)


def test_not_monotone_as_property_4_asks() -> None:
    # 2 / √2 falls to 3 / √5 although a component grew; with b = .1 (2.1 / 1.514 and 3.1 / 2.336) as well.
    assert [p(1, 1), p(2, 1)] == pytest.approx([1.414214, 1.341641])
    assert [p(1, 1, b=0.1), p(2, 1, b=0.1)] == pytest.approx([1.3869, 1.3270], abs=1e-4)


@quick
@given(changes)
def test_zeroing_the_smallest_component_never_raises_it(change: list[float]) -> None:
    smallest = min((abs(x), index) for index, x in enumerate(change) if x or not any(change))[1]
    sparser = [0.0 if index == smallest else x for index, x in enumerate(change)]
    assume(any(sparser))
    assert p(*sparser) <= p(*change) * (1 + 1e-5)


def test_zeroing_the_largest_may_raise_it_against_property_5() -> None:
    # 12 / √102 → 11 / √101 (the smallest gone) and → 2 / √2 (the largest gone); L1 at equal L2 says the same.
    assert [p(10, 1, 1), p(10, 1, 0), p(0, 1, 1)] == pytest.approx([1.188177, 1.094541, 1.414214])
    unit = torch.nn.functional.normalize(torch.tensor([[10.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    l1 = unit.abs().sum(dim=1)
    assert l1[0] < l1[1]


def test_a_bias_rewards_shrinking() -> None:
    # L1 = 1.8, L2 = √1.3: (1.8 s + .1) / (1.1402 s + .1) for s = 1, .1, .01, .001
    shrunk = [p(*(s * x for x in (1, 0.5, 0.2, 0.1)), b=0.1) for s in (1, 0.1, 0.01, 0.001)]
    assert shrunk == pytest.approx([1.5320, 1.3083, 1.0592, 1.0065], abs=1e-4)


@quick
@given(changes, biases)
def test_gradient_is_that_of_the_naive_formula(change: list[float], b: float) -> None:
    assume(any(change))
    first, second = (torch.tensor(change, dtype=torch.float64).requires_grad_() for _ in range(2))
    permanence(first, b=b).backward()
    naive(second, b).backward()
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-3, atol=1e-5)


@quick
@given(changes, st.floats(-40, 20))
def test_a_bias_bounds_the_gradient(change: list[float], exponent: float) -> None:
    # ∇P_b = sign(Δ) / (L2 + b) - (L1 + b) / (L2 + b)² · Δ / L2, neither longer than √D / b
    delta = (torch.tensor(change, dtype=torch.float64) * 10.0**exponent).float().requires_grad_()
    permanence(delta, b=0.1).backward()
    assert float(delta.grad.norm()) <= 2 * math.sqrt(len(change)) / 0.1 * (1 + 1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("b", [0.0, 0.1])
@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-40, 1e-35, 1e-28, 1e-15, 1.0, 1e20, 3e38])
def test_no_size_of_change_breaks_it(scale: float, b: float, dtype: torch.dtype) -> None:
    change = (torch.tensor([[1.0, 0.5, 0.0, -0.2]]) * scale).to(dtype).requires_grad_()
    value = permanence(change, b=b)
    value.sum().backward()
    assert value.dtype == torch.float32 and 1.0 <= value.item() <= 2.0
    assert torch.isfinite(change.grad).all()
    if scale == 0.0:
        assert value.item() == 1.0 and not change.grad.any()


def test_normalised() -> None:
    changes = torch.tensor([[5.0, 0.0, 0.0, 0.0], [2.0, -2.0, 2.0, 2.0], [3.0, 4.0, 0.0, 0.0]])
    assert normalised_permanence(changes).tolist() == pytest.approx([0.0, 1.0, 0.4])  # (1.4 - 1) / (√4 - 1)
    noise = torch.randn(2000, 64, generator=torch.Generator().manual_seed(0))
    expected = (math.sqrt(2 * 64 / math.pi) - 1) / (math.sqrt(64) - 1)
    assert float(normalised_permanence(noise).mean()) == pytest.approx(expected, rel=0.01)


def test_of_one_latent_there_is_no_sparsity() -> None:
    with pytest.raises(ValueError, match=r"^expected at least 2 latents, got 1; sparsity of one number means nothing$"):
        normalised_permanence(torch.ones(3, 1))
