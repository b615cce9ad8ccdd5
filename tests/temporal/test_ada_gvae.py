"""Ada-GVAE: which latents count as shared, and what they are averaged to, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from perma_agent.temporal import AdaGVAE, AdaGVAEConfig, TrainingConfig, make_host, train
from perma_agent.temporal.ada_gvae import average_shared, gaussian_divergence, shared_latents
from perma_agent.types import Posterior


def posterior(means: list[float], variances: list[float]) -> Posterior:
    return Posterior(torch.tensor([means]), torch.tensor([variances]).log())


FIRST = posterior([0.0, 0.0, 1.0], [1.0, 1.0, 1.0])
SECOND = posterior([2.0, 1.0, 1.0], [1.0, 1.0, 3.0])
# With equal variances δ = Δ²/2: 2 and 0.5. Third latent: ½ (1/3 - 1 + ln 3) = 0.216. Midpoint (2 + 0.216) / 2 = 1.108.


def test_distances_between_posteriors():
    expected = [2.0, 0.5, 0.5 * (1 / 3 - 1 + math.log(3))]
    assert gaussian_divergence(FIRST, SECOND)[0].tolist() == pytest.approx(expected)


def test_the_divergence_is_that_of_torch(generator):
    first, second = (Posterior(*torch.randn(2, 5, 4, generator=generator)) for _ in range(2))
    expected = kl_divergence(Normal(first.mean, first.std), Normal(second.mean, second.std))
    torch.testing.assert_close(gaussian_divergence(first, second), expected)


def test_latents_below_the_midpoint_are_shared():
    assert shared_latents(FIRST, SECOND).tolist() == [[False, True, True]]


def test_a_latent_at_the_midpoint_is_not_shared():
    # δ = 0, 1, 2: the midpoint is 1, and the histogram's second bin begins with it.
    later = posterior([0.0, math.sqrt(2.0), 2.0], [1.0, 1.0, 1.0])
    assert shared_latents(posterior([0.0] * 3, [1.0] * 3), later).tolist() == [[True, False, False]]


def test_shared_latents_get_the_average_mean_and_variance_in_both_frames():
    first, second = average_shared(FIRST, SECOND)
    assert first.mean[0].tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert second.mean[0].tolist() == pytest.approx([2.0, 0.5, 1.0])
    assert first.variance[0].tolist() == pytest.approx([1.0, 1.0, 2.0])
    assert second.variance[0].tolist() == pytest.approx([1.0, 1.0, 2.0])


def test_equal_frames_keep_their_posterior():
    first, second = average_shared(FIRST, FIRST)
    torch.testing.assert_close(first.mean, FIRST.mean)
    torch.testing.assert_close(second.log_variance, FIRST.log_variance)


def test_both_frames_learn_from_what_they_share():
    first = Posterior(torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2))
    second = Posterior(torch.tensor([[0.1, 3.0]], requires_grad=True), torch.zeros(1, 2))
    average_shared(first, second)[0].mean.sum().backward()
    assert first.mean.grad is not None and first.mean.grad.tolist() == [[0.5, 1.0]]
    assert second.mean.grad is not None and second.mean.grad.tolist() == [[0.5, 0.0]]


def test_the_objective_counts_either_frame_by_half(network, pairs, generator):
    host = AdaGVAE(AdaGVAEConfig(network=network, beta=4.0))
    summands = host.summands(pairs, step=1, generator=generator)
    assert summands.weights == {"reconstruction": 1.0, "information": 4.0}
    assert {len(term) for term in summands.terms.values()} == {16}  # the mean over 2 B frames is ½ + ½


def test_it_separates_two_factors_that_change_one_at_a_time(network, squares, separation):
    host = make_host(AdaGVAEConfig(network=network), seed=1)
    train(host, squares, TrainingConfig(steps=500, learning_rate=2e-3))
    assert separation(host) > 0.97


def test_a_negative_beta_is_refused():
    with pytest.raises(ValueError, match="expected beta >= 0, got -1"):
        AdaGVAEConfig(beta=-1.0)
