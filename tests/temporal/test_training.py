"""The loop all hosts share: determinism, what its history says, and how it leaves the host."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perma_agent.temporal import PairVAEConfig, TrainingConfig, codes, make_host, train


@pytest.fixture
def host(network):
    return make_host(PairVAEConfig(network=network))


SHORT = TrainingConfig(steps=5, batch=4, log_every=2)


def test_the_same_seed_gives_the_same_host_bit_for_bit(network, squares):
    hosts = [make_host(PairVAEConfig(network=network)) for _ in range(3)]
    for host, seed in zip(hosts, (1, 1, 2), strict=True):
        train(host, squares, TrainingConfig(steps=5, batch=4, seed=seed))
    first, second, other = (torch.cat([p.flatten() for p in host.parameters()]) for host in hosts)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_torchs_own_generator_plays_no_part(host, squares):
    before = torch.get_rng_state()
    train(host, squares, SHORT)
    assert torch.equal(torch.get_rng_state(), before)


def test_lines_hold_the_means_of_their_steps_and_the_rest_gets_one_too(host, squares):
    seen: list[float] = []
    history = train(host, squares, SHORT, on_batch=lambda step, metrics: seen.append(metrics["loss/reconstruction"]))
    assert history.steps.tolist() == [2, 4, 5]
    expected = [np.mean(seen[:2]), np.mean(seen[2:4]), seen[4]]
    assert history.metrics["loss/reconstruction"].tolist() == pytest.approx(expected)
    assert set(history.metrics) == {
        "loss/reconstruction", "loss/information", "loss/permanence", "loss/total",
        "code/std", "code/active", "code/change",
    }  # fmt: skip


def test_the_caller_is_told_of_every_step(host, squares):
    steps: list[int] = []
    train(host, squares, SHORT, on_batch=lambda step, metrics: steps.append(step))
    assert steps == [1, 2, 3, 4, 5]


def test_the_host_is_left_in_evaluation_mode_and_full_precision(host, squares):
    def interrupt(step, metrics):
        assert host.training
        assert host.autocast
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(host, squares, TrainingConfig(steps=5, autocast=True), on_batch=interrupt)
    assert not host.training
    assert not host.autocast


def test_it_learns_to_draw_what_it_sees(host, squares):
    history = train(host, squares, TrainingConfig(steps=150, learning_rate=2e-3, log_every=50))
    error = history.metrics["loss/reconstruction"]
    assert error[-1] < 0.3 * error[0]


def test_weights_that_are_frozen_stay(host, squares):
    before = host.vase.environment_head.weight.clone()
    train(host, squares, SHORT)
    assert torch.equal(host.vase.environment_head.weight, before)


def test_a_term_that_is_not_finite_ends_the_training(host, squares):
    with torch.no_grad():
        host.vase.encoder.mean.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="expected finite terms, got NaN or infinity in"):
        train(host, squares, SHORT)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"log_every": 0}])
def test_counts_are_checked(wrong):
    with pytest.raises(ValueError, match="expected steps, batch and log_every of at least 1"):
        TrainingConfig(**wrong)


@pytest.mark.parametrize("wrong", [{"learning_rate": 0.0}, {"gradient_limit": 1.0}])
def test_rates_are_checked(wrong):
    with pytest.raises(ValueError, match="expected learning_rate > 0 and gradient_limit > 1"):
        TrainingConfig(**wrong)


def test_codes_do_not_depend_on_how_many_are_read_at_once(host, pairs):
    whole, parts = codes(host, pairs.frames), codes(host, pairs.frames, frames_at_once=3)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
