"""Information in the code, the capacity granted to it, and how both rise."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from perma_agent.objectives import CapacitySchedule, capacity, information, warm_up
from perma_agent.types import Posterior

# KL(N(1, 1)) = ½ (1 + 1 - 1 - 0) = .5;  KL(N(0, 4)) = ½ (4 - 1 - ln 4) = .806853;  KL(N(0, 1)) = 0
SHIFTED, WIDE = 0.5, 0.5 * (3 - math.log(4))
TWO_FRAMES = Posterior(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, math.log(4)], [0.0, 0.0]]))

gaussians = st.lists(st.tuples(st.floats(-5, 5), st.floats(-9, 9)), min_size=1, max_size=6)


def posterior_of(gaussian: list[tuple[float, float]]) -> Posterior:
    return Posterior(torch.tensor([[m for m, _ in gaussian]]), torch.tensor([[v for _, v in gaussian]]))


def random_posterior(frames: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    mean, log_variance = torch.randn(2, frames, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return mean.requires_grad_(), log_variance.requires_grad_()


def test_information_by_hand() -> None:
    assert information(TWO_FRAMES).tolist() == pytest.approx([SHIFTED + WIDE, 0.0])


def test_capacity_is_squared_after_the_mean_over_frames() -> None:
    mean = (SHIFTED + WIDE) / 2
    assert capacity(TWO_FRAMES, nats=0.25).tolist() == pytest.approx([(mean - 0.25) ** 2] * 2)
    assert float(capacity(TWO_FRAMES, nats=mean).max()) == pytest.approx(0.0, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(gaussians)
def test_information_is_never_negative_and_zero_for_the_prior_only(gaussian: list[tuple[float, float]]) -> None:
    value = float(information(posterior_of(gaussian)))
    expected = sum(
        float(kl_divergence(Normal(m, math.exp(v / 2)), Normal(0.0, 1.0))) for m, v in gaussian
    )  # by torch's own formula
    assert value == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert value >= -1e-5
    strays = any(abs(m) > 0.01 or abs(v) > 0.01 for m, v in gaussian)
    assert not strays or value > 0


def test_permuting_the_batch_permutes_information() -> None:
    mean, log_variance = random_posterior()
    order = torch.tensor([3, 1, 4, 0, 2])
    permuted = information(Posterior(mean[order], log_variance[order]))
    torch.testing.assert_close(permuted, information(Posterior(mean, log_variance))[order])
    torch.testing.assert_close(
        capacity(Posterior(mean[order], log_variance[order]), nats=1.0),
        capacity(Posterior(mean, log_variance), nats=1.0),
    )


def test_gradient_is_that_of_the_naive_formula() -> None:
    ours, naive = random_posterior(), random_posterior()
    capacity(Posterior(*ours), nats=2.0).mean().backward()
    mean, log_variance = naive
    bits = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    ((bits.mean() - 2.0) ** 2).backward()
    for first, second in zip(ours, naive, strict=True):
        torch.testing.assert_close(first.grad, second.grad)


def test_masked_latents_add_nothing_and_get_nothing() -> None:
    mean, log_variance = random_posterior()
    masked = Posterior(mean, log_variance).masked(torch.tensor([1, 0, 1]))
    information(masked).sum().backward()
    kept = information(Posterior(mean[:, ::2], log_variance[:, ::2]))
    torch.testing.assert_close(information(masked), kept)
    assert not mean.grad[:, 1].any() and not log_variance.grad[:, 1].any()


@pytest.mark.parametrize(
    ("steps", "start", "nats"),
    [(0, 0.0, 0.0), (50, 0.0, 10.0), (100, 0.0, 20.0), (1000, 0.0, 20.0), (0, 8.0, 8.0), (50, 8.0, 14.0), (7, 99, 20)],
)
def test_schedule_rises_linearly_then_holds(steps: int, start: float, nats: float) -> None:
    assert CapacitySchedule(nats=20.0, steps=100)(steps=steps, start=start) == pytest.approx(nats)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"nats": -1.0}])
def test_bad_schedule(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^expected steps >= 1 and nats >= 0, got "):
        CapacitySchedule(**wrong)


@pytest.mark.parametrize(
    ("step", "steps", "weight"), [(0, 10, 0.0), (5, 10, 2.0), (10, 10, 4.0), (99, 10, 4.0), (0, 0, 4.0)]
)
def test_warm_up(step: int, steps: int, weight: float) -> None:
    assert warm_up(4.0, step=step, steps=steps) == weight
