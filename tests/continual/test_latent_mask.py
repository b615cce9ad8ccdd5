"""Atypicality by hand, its sampling floor, and a mask that holds."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.continual.latent_mask import LatentMaskConfig, Marginal, atypicality, contradicts, update_mask

CONFIG = LatentMaskConfig(threshold=0.6, hysteresis=0.2)
moments = st.tuples(st.floats(-5, 5), st.floats(0.01, 10))


def gaussian(mean: float, variance: float) -> Marginal:
    return Marginal(torch.tensor([mean]), torch.tensor([[variance]]))


@pytest.mark.parametrize(
    ("mean", "variance", "alpha"),
    [
        (0.0, 1.0, 0.0),
        (0.5, 1.0, 0.125),  # ½ m²
        (1.0, 1.0, 0.5),
        (-2.0, 1.0, 2.0),
        (0.0, 0.25, 0.31815),  # ½ (¼ - 1 + ln 4)
        (0.0, 0.1, 0.70129),  # ½ (.1 - 1 + ln 10)
        (0.0, 4.0, 0.80685),  # ½ (4 - 1 - ln 4)
        (1.0, 4.0, 1.30685),
    ],
)
def test_atypicality_against_the_prior(mean: float, variance: float, alpha: float) -> None:
    assert float(atypicality(gaussian(mean, variance), Marginal.prior(1))) == pytest.approx(alpha, abs=1e-5)


def test_atypicality_against_what_is_typical_of_an_environment() -> None:
    # N(4, 4) against N(2, 4): one deviation away, ½;  N(2, 1) against it: ½ (¼ - 1 + ln 4)
    typical = gaussian(2.0, 4.0)
    assert float(atypicality(gaussian(4.0, 4.0), typical)) == pytest.approx(0.5)
    assert float(atypicality(gaussian(2.0, 1.0), typical)) == pytest.approx(0.31815, abs=1e-5)


@settings(deadline=None, max_examples=80)
@given(moments, moments)
def test_atypicality_is_never_negative_and_zero_iff_equal(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    alpha = float(atypicality(gaussian(*first), gaussian(*second)))
    assert alpha >= -1e-5
    assert float(atypicality(gaussian(*first), gaussian(*first))) == 0.0
    differs = abs(first[0] - second[0]) > 0.1 or abs(math.log(first[1] / second[1])) > 0.1
    assert not differs or alpha > 1e-5


@pytest.mark.parametrize("batch", [16, 64, 256])
def test_a_typical_latent_shows_sampling_noise_of_about_one_in_the_batch(batch: int) -> None:
    # E α = ½ (1/B + 1/(B - 1)): the variance of the mean, and that of the variance
    samples = torch.randn(batch, 4000, generator=torch.Generator().manual_seed(0))
    each = [Marginal.of(samples[:, n : n + 8]) for n in range(0, 4000, 8)]
    alpha = torch.cat([atypicality(marginal, Marginal.prior(8)) for marginal in each])
    assert float(alpha.mean()) == pytest.approx(0.5 * (1 / batch + 1 / (batch - 1)), rel=0.1)


def test_marginal_of_samples_by_hand() -> None:
    # Columns 0 2 4 and 1 1 4: means 2 and 2, variances 8/2 and 6/2, covariance (2·1 + 0 + 2·2)/2
    marginal = Marginal.of(torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]]))
    assert marginal.mean.tolist() == [2.0, 2.0]
    assert marginal.covariance.tolist() == [[4.0, 3.0], [3.0, 3.0]]
    assert marginal.variance.tolist() == [4.0, 3.0]
    assert Marginal.of(torch.tensor([[1.0], [3.0]])).covariance.tolist() == [[2.0]]


def test_one_sample_has_no_spread() -> None:
    message = r"^expected at least 2 samples to tell how they spread, got 1$"
    with pytest.raises(ValueError, match=message):
        Marginal.of(torch.zeros(1, 3))


def test_a_latent_that_never_moves_stays_finite() -> None:
    still = Marginal.of(torch.ones(4, 2))
    assert torch.isfinite(atypicality(still, Marginal.prior(2))).all()
    assert torch.isfinite(atypicality(Marginal.prior(2), still)).all()


def test_samples_have_the_marginals_mean_and_covariance(generator: torch.Generator) -> None:
    covariance = torch.tensor([[2.0, 1.2, 0.0], [1.2, 1.0, 0.0], [0.0, 0.0, 0.1]])
    codes = Marginal(torch.tensor([3.0, -1.0, 0.0]), covariance).sample(20_000, generator=generator)
    torch.testing.assert_close(codes.mean(dim=0), torch.tensor([3.0, -1.0, 0.0]), rtol=0, atol=0.04)
    torch.testing.assert_close(torch.cov(codes.T), covariance, rtol=0, atol=0.06)


def test_samples_of_a_covariance_without_full_rank(generator: torch.Generator) -> None:
    # Four codes span three directions of 32; on this a Cholesky factorisation fails.
    seen = 3 * torch.randn(4, 32, generator=generator)
    marginal = Marginal.of(seen)
    codes = marginal.sample(20_000, generator=generator)
    torch.testing.assert_close(torch.cov(codes.T), marginal.covariance, rtol=0, atol=1.5)
    spread = (codes - marginal.mean) @ torch.linalg.svd(seen - seen.mean(dim=0)).Vh[3:].T
    assert spread.abs().max() < 0.05  # none outside the span


@pytest.mark.parametrize(
    ("mask", "alpha", "maskable", "after"),
    [
        (1, 0.1, 1, 1),  # below λ_0 = .4: typical
        (0, 0.1, 1, 1),
        (1, 0.6, 1, 1),  # between: as it was
        (0, 0.6, 1, 0),
        (1, 0.9, 1, 0),  # above λ_1 = .8: atypical
        (0, 0.9, 1, 0),
        (1, 0.9, 0, 1),  # nobody else uses it
        (0, 0.9, 0, 1),
        (0, 0.6, 0, 1),
        (0, 0.1, 0, 1),
    ],
)
def test_update_mask(mask: int, alpha: float, maskable: int, after: int) -> None:
    updated = update_mask(
        torch.tensor([mask]).bool(), torch.tensor([alpha]), maskable=torch.tensor([maskable]).bool(), config=CONFIG
    )
    assert updated.tolist() == [bool(after)]


def test_masks_can_be_turned_off() -> None:
    everything, off = torch.ones(2, dtype=torch.bool), LatentMaskConfig(enabled=False)
    alpha = torch.tensor([9.0, 0.0])
    assert update_mask(~everything, alpha, maskable=everything, config=off).all()
    assert not contradicts(alpha, used=everything, config=off).any()


def test_only_used_latents_contradict() -> None:
    alpha, used = torch.tensor([0.9, 0.9, 0.7, 0.1]), torch.tensor([True, False, True, True])
    assert contradicts(alpha, used=used, config=CONFIG).tolist() == [True, False, False, False]


@pytest.mark.parametrize(("threshold", "hysteresis"), [(0.6, 0.6), (0.6, -0.1), (0.0, 0.0)])
def test_bad_thresholds(threshold: float, hysteresis: float) -> None:
    with pytest.raises(ValueError, match=r"^expected 0 <= hysteresis < threshold, got "):
        LatentMaskConfig(threshold=threshold, hysteresis=hysteresis)
