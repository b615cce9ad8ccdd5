"""SlowVAE's transition term: its closed form against integration, both reductions, and extreme posteriors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch import Tensor
from torch.distributions import Normal

from perma_agent.objectives import laplace_transition
from perma_agent.objectives.permanence import laplace_cross_entropy
from perma_agent.types import Posterior

quick = settings(deadline=None, max_examples=25)


def posteriors(latents: int = 3, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Posterior, Posterior]:
    generator = torch.Generator().manual_seed(seed)
    means, log_variances = torch.randn(2, 2, 5, latents, generator=generator, dtype=dtype)
    return Posterior(means[0], log_variances[0]), Posterior(means[1], log_variances[1] - 2.0)


@pytest.mark.parametrize("rate", [0.5, 6.0])
@pytest.mark.parametrize("std", [0.05, 1.0, 3.0])
@pytest.mark.parametrize("mean", [0.0, 0.3, -2.0, 9.0])
def test_closed_form_is_the_integral(mean: float, std: float, rate: float) -> None:
    def integrand(z: float) -> float:
        density = math.exp(-0.5 * ((z - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
        return density * (rate * abs(z) - math.log(rate / 2))

    kink = [0.0] if abs(mean) < 12 * std else None
    integral = integrate.quad(integrand, mean - 12 * std, mean + 12 * std, points=kink, limit=400)[0]
    change, deviation = (torch.tensor(x, dtype=torch.float64) for x in (mean, std))
    assert float(laplace_cross_entropy(change, deviation, rate=rate)) == pytest.approx(integral, rel=1e-8, abs=1e-8)


def test_of_a_still_code_by_hand() -> None:
    # m = 0, σ = 1, λ = 6: -log 3 + 6 √(2/π) - ½ log 2πe = -1.09861 + 4.78731 - 1.41894 a latent, both ways
    still = Posterior(torch.zeros(1, 2), torch.zeros(1, 2))
    nats = laplace_transition(still, still, torch.ones(2))
    assert float(nats) == pytest.approx(2 * 2.269757, abs=1e-5)


def test_least_is_where_the_laplace_and_the_gaussian_fit_best() -> None:
    # At m = 0 the best σ is √(π/2) / λ, and the divergence there log 2 + 1 - ½ log 2πe - ½ log π/2
    log_variance = torch.linspace(-6, 0, 60_001, dtype=torch.float64).unsqueeze(1)
    code = Posterior(torch.zeros_like(log_variance), log_variance)
    nats = laplace_transition(code, code, torch.ones(1), rate=6.0)
    assert float(code.std[nats.argmin()]) == pytest.approx(math.sqrt(math.pi / 2) / 6, rel=1e-3)
    least = math.log(2) + 1 - 0.5 * math.log(2 * math.pi * math.e) - 0.5 * math.log(math.pi / 2)
    assert float(nats.min()) == pytest.approx(least, abs=1e-6)


@quick
@given(st.floats(-20, 20), st.floats(-10, 10), st.floats(-10, 10), st.floats(0.01, 100))
def test_the_principled_one_is_a_divergence(mean: float, log_variance: float, other: float, rate: float) -> None:
    first = Posterior(torch.tensor([[mean]]).double(), torch.tensor([[log_variance]]).double())
    second = Posterior(torch.zeros(1, 1).double(), torch.tensor([[other]]).double())
    assert float(laplace_transition(first, second, torch.ones(1), rate=rate)) >= 0


def slowvae(later: Posterior, earlier: Posterior, rate: float) -> tuple[Tensor, Tensor, Tensor]:
    """SlowVAE's three summands, as their solver reduces them: H and CE_N over rows, CE_L over pairs."""

    def cross(mean: Tensor, std: Tensor) -> Tensor:
        gauss = std * math.sqrt(2 / math.pi) * torch.exp(-(mean**2) / (2 * std**2))
        return -math.log(rate / 2) + rate * gauss - rate * mean * (1 - 2 * Normal(0.0, 1.0).cdf(mean / std))

    rows = Posterior(torch.cat([earlier.mean, later.mean]), torch.cat([earlier.log_variance, later.log_variance]))
    entropy = (0.5 * (rows.log_variance + math.log(2 * math.pi * math.e))).sum(1).mean()
    normal = (0.5 * (rows.mean**2 + rows.variance) + 0.5 * math.log(2 * math.pi)).sum(1).mean()
    change = later.mean - earlier.mean
    both = cross(change, later.std) + cross(-change, earlier.std)
    return entropy, normal, both.sum(1).mean()


def test_the_paper_s_total_can_be_reproduced() -> None:
    later, earlier = posteriors()
    entropy, normal, both = slowvae(later, earlier, 6.0)
    theirs = 1.5 * (normal - entropy) + 10.0 * (both - entropy)
    information = torch.cat([later.kl(), earlier.kl()]).sum(1).mean()
    term = laplace_transition(later, earlier, torch.ones(3), rate=6.0, reduction="paper")
    torch.testing.assert_close(1.5 * information + 10.0 * term.mean(), theirs)


def test_the_paper_s_term_is_twice_the_principled_and_the_mean_entropy() -> None:
    later, earlier = posteriors()
    entropies = [Normal(x.mean, x.std).entropy().sum(1) for x in (later, earlier)]
    paper, principled = (
        laplace_transition(later, earlier, torch.ones(3), reduction=reduction) for reduction in ("paper", "principled")
    )
    torch.testing.assert_close(paper, 2 * principled + (entropies[0] + entropies[1]) / 2)


@pytest.mark.parametrize("reduction", ["paper", "principled"])
def test_both_directions_count_alike(reduction) -> None:
    later, earlier = posteriors()
    forth, back = (
        laplace_transition(*pair, torch.ones(3), reduction=reduction) for pair in ((later, earlier), (earlier, later))
    )
    torch.testing.assert_close(forth, back)
    assert forth.shape == (5,)


@pytest.mark.parametrize("reduction", ["paper", "principled"])
def test_gradients_in_double_precision(reduction) -> None:
    later, earlier = posteriors()
    leaves = [x.detach().requires_grad_() for y in (later, earlier) for x in (y.mean, y.log_variance)]

    def term(*leaves: Tensor) -> Tensor:
        pair = Posterior(*leaves[:2]), Posterior(*leaves[2:])
        return laplace_transition(*pair, torch.tensor([1, 0, 1]), reduction=reduction)

    assert torch.autograd.gradcheck(term, tuple(leaves))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("log_variance", [-10.0, 0.0, 10.0])
@pytest.mark.parametrize("scale", [0.0, 1e-45, 1e-38, 1e-20, 1e-3, 1.0, 1e3, 1e20, 1e30])
def test_no_posterior_breaks_it(scale: float, log_variance: float, dtype: torch.dtype) -> None:
    mean = (torch.tensor([[1.0, -0.5, 0.0]]) * scale).to(dtype).requires_grad_()
    spread = torch.full((1, 3), log_variance, dtype=dtype, requires_grad=True)
    nats = laplace_transition(Posterior(mean, spread), Posterior(torch.zeros(1, 3, dtype=dtype), spread), torch.ones(3))
    nats.sum().backward()
    assert nats.dtype == torch.float32 and torch.isfinite(nats).all()
    assert torch.isfinite(mean.grad).all() and torch.isfinite(spread.grad).all()
    assert mean.grad.abs().max() <= 6.0 * (1 + 1e-2)


def test_far_apart_it_is_l1_times_the_rate() -> None:
    means = np.array([0.0, 5.0, 50.0, 5e8])
    cost = laplace_cross_entropy(torch.tensor(means), torch.tensor(0.1, dtype=torch.float64), rate=2.0)  # -log 1 = 0
    assert cost.tolist()[1:] == pytest.approx((2.0 * means[1:]).tolist())


def test_masked_latents_count_nothing_and_get_no_gradient() -> None:
    later, earlier = posteriors()
    wild = later.mean.clone()
    wild[:, 1] = math.nan  # not even what is broken
    mask = torch.tensor([1, 0, 1])
    leaves = [x.detach().requires_grad_() for x in (wild, later.log_variance, earlier.mean, earlier.log_variance)]
    term = laplace_transition(Posterior(*leaves[:2]), Posterior(*leaves[2:]), mask)
    kept = [Posterior(x.mean[:, [0, 2]], x.log_variance[:, [0, 2]]) for x in (later, earlier)]
    torch.testing.assert_close(term, laplace_transition(*kept, torch.ones(2)))
    for slope in torch.autograd.grad(term.sum(), leaves):
        assert not slope[:, 1].any() and slope[:, [0, 2]].abs().min() > 0
