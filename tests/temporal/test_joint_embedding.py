"""The joint embedding: prediction by hand, and a guard without which permanence makes the code collapse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.objectives import PermanenceConfig
from perma_agent.temporal import (
    CollapseGuardConfig,
    JointEmbedding,
    JointEmbeddingConfig,
    TrainingConfig,
    make_host,
    train,
)
from perma_agent.temporal.joint_embedding import Predictor
from perma_agent.types import FramePairs

QUIET = PermanenceConfig(weight=0.0)
SHRINKING = PermanenceConfig(weight=10.0, b=0.1, relative=False, warm_up=0)


def test_a_predictor_whose_layer_says_nothing_predicts_that_all_stays():
    predictor = Predictor(2, 4)
    torch.nn.init.zeros_(predictor.mean.weight)
    codes = torch.tensor([[1.0, -2.0]])
    assert torch.equal(predictor(codes, torch.tensor([3])), codes)


def test_the_predictor_knows_how_far_ahead_it_is_asked():
    predictor = Predictor(2, 8)
    codes = torch.ones(2, 2)
    near, far = predictor(codes, torch.tensor([1, 16]))
    assert not torch.allclose(near, far)
    again = predictor(torch.ones(1, 2), torch.tensor([16]))[0]
    torch.testing.assert_close(again, far)


def test_the_prediction_error_is_the_mean_square_over_latents(network, pairs, generator):
    host = JointEmbedding(JointEmbeddingConfig(network=network, permanence=QUIET))
    torch.nn.init.zeros_(host.predictor.mean.weight)
    later = host.posterior(torch.from_numpy(pairs.frames)).mean
    earlier = host.posterior(torch.from_numpy(pairs.earlier)).mean
    summands = host.summands(pairs, step=1, generator=generator)
    torch.testing.assert_close(summands.terms["prediction"], (later - earlier).pow(2).mean(dim=1))
    assert summands.weights == {"prediction": 25.0, "variance": 25.0, "covariance": 1.0}


def test_the_predictor_learns_nothing_from_the_guard_or_the_change(network, pairs, generator):
    host = JointEmbedding(JointEmbeddingConfig(network=network, permanence=SHRINKING))
    terms = host.summands(pairs, step=1, generator=generator).terms
    (terms["variance"].mean() + terms["covariance"].mean() + terms["permanence"].mean()).backward()
    assert all(parameter.grad is None for parameter in host.predictor.parameters())
    assert host.encoder.encoder.mean.weight.grad is not None


@pytest.mark.parametrize("guarded", [True, False])
def test_under_permanence_with_a_bias_only_the_guard_keeps_the_code_alive(network, slow_squares, guarded):
    config = JointEmbeddingConfig(network=network, guard=CollapseGuardConfig(enabled=guarded), permanence=SHRINKING)
    history = train(make_host(config), slow_squares, TrainingConfig(steps=300, learning_rate=2e-3))
    spread, active = (history.metrics[name][-1] for name in ("code/std", "code/active"))
    assert (spread > 0.8, active) == (guarded, 2 if guarded else 0)
    assert guarded or spread < 1e-2


@pytest.mark.slow
def test_with_permanence_it_finds_the_factors_of_a_world_that_moves_little(network, slow_squares, separation):
    config = JointEmbeddingConfig(network=network, permanence=PermanenceConfig(weight=5.0, warm_up=200))
    host = make_host(config)
    train(host, slow_squares, TrainingConfig(steps=600, batch=64, learning_rate=2e-3))
    assert separation(host) > 0.95


def test_no_pairs_are_refused(network, generator):
    nothing = np.zeros((0, 1, 16, 16), np.uint8)
    empty = FramePairs(nothing, nothing, np.zeros(0, np.int64))
    with pytest.raises(FrameError, match="expected pairs of frames for a joint embedding, got none"):
        JointEmbedding(JointEmbeddingConfig(network=network)).summands(empty, step=1, generator=generator)


def test_sizes_and_weights_are_checked():
    with pytest.raises(ValueError, match="expected predictor_hidden >= 1 and prediction >= 0"):
        JointEmbeddingConfig(predictor_hidden=0)
