"""PCL: its score by hand, real pairs against shuffled ones, and a world whose factors it finds."""

from __future__ import annotations

import math

import pytest
import torch

from perma_agent.errors import FrameError
from perma_agent.temporal import Contrastive, ContrastiveConfig, TrainingConfig, make_host, train
from perma_agent.temporal.contrastive import PairScore
from perma_agent.types import FramePairs


def test_the_score_begins_as_the_laplace_log_ratio():
    score = PairScore(2)
    later, earlier = torch.tensor([[2.0, 1.0]]), torch.tensor([[0.5, 3.0]])
    # -(|2 - 0.5| + |1 - 3|) + (4 + 1) = 1.5
    assert score(later, earlier).tolist() == pytest.approx([1.5])


def test_each_latent_has_its_own_coefficients():
    score = PairScore(2)
    with torch.no_grad():
        score.present.copy_(torch.tensor([2.0, 0.0]))
        score.past.copy_(torch.tensor([0.0, 1.0]))
        score.shift.copy_(torch.tensor([1.0, -1.0]))
        score.offset.fill_(0.25)
    later, earlier = torch.tensor([[2.0, 1.0]]), torch.tensor([[0.5, 3.0]])
    # -(|4 + 1| + |3 - 1|) + 5 + 0.25
    assert score(later, earlier).tolist() == pytest.approx([-1.75])


def test_an_undecided_score_costs_ln_2_a_decision(network, pairs, generator):
    host = Contrastive(ContrastiveConfig(network=network))
    torch.nn.init.zeros_(host.encoder.encoder.mean.weight)  # all codes are 0, and so are all scores
    terms = host.summands(pairs, step=1, generator=generator).terms
    assert terms["contrast"].tolist() == pytest.approx([math.log(2)] * 16)


def test_the_contrast_is_between_own_and_foreign_earlier_frames(network, pairs, generator):
    host = Contrastive(ContrastiveConfig(network=network))
    later = host.posterior(torch.from_numpy(pairs.frames)).mean
    earlier = host.posterior(torch.from_numpy(pairs.earlier)).mean
    foreign = earlier[[7, 0, 1, 2, 3, 4, 5, 6]]
    scores = torch.cat([host.score(later, earlier), host.score(later, foreign)])
    labels = torch.tensor([1.0] * 8 + [0.0] * 8)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
    contrast = host.summands(pairs, step=1, generator=generator).terms["contrast"]
    torch.testing.assert_close(contrast.mean(), expected)


def test_one_pair_cannot_be_contrasted(network, pairs, generator):
    one = FramePairs(pairs.frames[:1], pairs.earlier[:1], pairs.offsets[:1])
    with pytest.raises(FrameError, match="expected at least two pairs of frames to tell apart, got one"):
        Contrastive(ContrastiveConfig(network=network)).summands(one, step=1, generator=generator)


@pytest.mark.slow
def test_it_finds_the_factors_of_a_world_that_moves_little(network, slow_squares, separation):
    host = make_host(ContrastiveConfig(network=network))
    history = train(host, slow_squares, TrainingConfig(steps=600, batch=64, learning_rate=2e-3))
    assert history.metrics["loss/contrast"][-1] < 0.55 < math.log(2)
    assert separation(host) > 0.85
