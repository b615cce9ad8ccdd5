"""The pair VAE: its terms against those of the objectives, where its gradients go, and a world it takes apart."""

from __future__ import annotations

import math

import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.objectives import PermanenceConfig, bernoulli_error, information, permanence_of_pairs, total
from perma_agent.temporal import PairVAE, PairVAEConfig, TrainingConfig, make_host, train
from perma_agent.temporal.host import halves
from perma_agent.types import FramePairs, Posterior

QUIET = PermanenceConfig(weight=0.0)


def test_its_terms_are_those_of_both_frames_and_of_the_pair(network, pairs):
    permanence = PermanenceConfig(weight=3.0, warm_up=0)
    host = PairVAE(PairVAEConfig(network=network, beta=2.0, permanence=permanence))
    summands = host.summands(pairs, step=1, generator=torch.Generator().manual_seed(3))
    later = host.posterior(torch.from_numpy(pairs.frames))
    earlier = host.posterior(torch.from_numpy(pairs.earlier))
    both = Posterior(torch.cat([later.mean, earlier.mean]), torch.cat([later.log_variance, earlier.log_variance]))
    frames = torch.cat([torch.from_numpy(pairs.frames), torch.from_numpy(pairs.earlier)]).float() / 255
    drawn = host.vase.decode(both.sample(torch.Generator().manual_seed(3)), 0)
    torch.testing.assert_close(summands.terms["reconstruction"], bernoulli_error(drawn, frames))
    torch.testing.assert_close(summands.terms["information"], information(both))
    expected = permanence_of_pairs(later, earlier, torch.ones(2), b=permanence.b, relative=permanence.relative)
    torch.testing.assert_close(summands.terms["permanence"], expected)
    assert summands.weights == {"reconstruction": 1.0, "information": 2.0, "permanence": 3.0}
    torch.testing.assert_close(summands.codes, both.mean.detach())
    torch.testing.assert_close(summands.change, (later.mean - earlier.mean).detach())


def test_the_weight_of_a_change_warms_up(network, pairs, generator):
    config = PairVAEConfig(network=network, permanence=PermanenceConfig(weight=4.0, warm_up=100))
    weights = PairVAE(config).summands(pairs, step=25, generator=generator).weights
    assert weights["permanence"] == pytest.approx(1.0)


def test_permanence_reaches_the_encoders_mean_and_neither_its_variance_nor_the_decoder(network, pairs, generator):
    host = PairVAE(PairVAEConfig(network=network))
    host.summands(pairs, step=1, generator=generator).terms["permanence"].mean().backward()
    moved = {name for name, parameter in host.named_parameters() if parameter.grad is not None}
    assert "vase.encoder.mean.weight" in moved
    assert "vase.encoder.convolutions.0.weight" in moved
    assert not any(name.startswith(("vase.decoder", "vase.encoder.log_variance")) for name in moved)


def test_without_a_change_term_frames_need_no_time(network, pairs, generator):
    host = PairVAE(PairVAEConfig(network=network, permanence=QUIET))
    summands = host.summands(FramePairs.unpaired(pairs.frames), step=1, generator=generator)
    assert set(summands.terms) == {"reconstruction", "information"}
    assert (len(summands.codes), len(summands.change)) == (8, 0)


def test_with_a_change_term_they_do(network, pairs, generator):
    host = PairVAE(PairVAEConfig(network=network))
    with pytest.raises(FrameError, match="expected pairs of frames for a change term, got frames of no trajectory"):
        host.summands(FramePairs.unpaired(pairs.frames), step=1, generator=generator)


def test_beta_vae_charges_nothing_for_change(network, pairs, generator):
    summands = PairVAE(PairVAEConfig.beta_vae(network)).summands(pairs, step=1, generator=generator)
    assert summands.weights == {"reconstruction": 1.0, "information": 8.0}


def test_slow_vae_is_half_the_total_of_the_authors_code(network, pairs):
    host = PairVAE(PairVAEConfig.slow_vae(network))
    summands = host.summands(pairs, step=1, generator=torch.Generator().manual_seed(3))
    loss, _ = total(summands.terms, summands.weights)
    later = host.posterior(torch.from_numpy(pairs.frames))
    earlier = host.posterior(torch.from_numpy(pairs.earlier))
    # recon = sum over pixels and both frames / frames; KL to N(0, I) a frame; both cross-entropies a pair, one entropy
    normal = torch.distributions.Normal(0.0, 1.0)
    rate, cross = 6.0, torch.zeros(len(pairs))
    for own, centre in ((later, earlier), (earlier, later)):
        m, sigma = own.mean - centre.mean, own.std
        nats = rate * sigma * math.sqrt(2 / math.pi) * torch.exp(-(m**2) / (2 * sigma**2))
        nats = nats - rate * m * (1 - 2 * normal.cdf(m / sigma)) - math.log(rate / 2)
        cross = cross + nats.sum(dim=1)
    log_variances = torch.cat([later.log_variance, earlier.log_variance])
    entropy = (0.5 * (log_variances + math.log(2 * math.pi * math.e))).sum(dim=1).mean()
    information_now = torch.cat([information(later), information(earlier)]).mean()
    theirs = 2 * summands.terms["reconstruction"].mean() + 1 * information_now + 10 * (cross.mean() - entropy)
    torch.testing.assert_close(2 * loss, theirs)


def test_latents_are_drawn_as_frames(network, pairs):
    host = PairVAE(PairVAEConfig(network=network))
    frames = host.reconstruct(host.posterior(torch.from_numpy(pairs.frames)).mean)
    assert frames.shape == (8, 1, 16, 16)
    assert (frames >= 0).all()
    assert (frames <= 1).all()


def test_halves_are_later_and_earlier():
    joined = Posterior(torch.tensor([[1.0], [2.0], [3.0], [4.0]]), torch.tensor([[5.0], [6.0], [7.0], [8.0]]))
    later, earlier = halves(joined)
    assert (later.mean.tolist(), earlier.log_variance.tolist()) == ([[1.0], [2.0]], [[7.0], [8.0]])


SPARSE = PermanenceConfig(weight=5.0, warm_up=200)
DIRECTED = PermanenceConfig(member="direction", weight=5.0, warm_up=200)


@pytest.mark.parametrize(
    ("permanence", "separates"),
    [
        (SPARSE, True),
        pytest.param(DIRECTED, True, marks=pytest.mark.slow),
        pytest.param(QUIET, False, marks=pytest.mark.slow),
    ],
)
def test_permanence_separates_two_factors_that_change_one_at_a_time(
    network, squares, separation, permanence, separates
):
    host = make_host(PairVAEConfig(network=network, permanence=permanence), seed=1)
    train(host, squares, TrainingConfig(steps=500, learning_rate=2e-3, seed=1))
    assert (separation(host) > 0.96) == separates


def test_a_negative_beta_is_refused():
    with pytest.raises(ValueError, match="expected beta >= 0, got -1"):
        PairVAEConfig(beta=-1.0)
