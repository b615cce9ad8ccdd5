"""What the present model owes its snapshot's dreams."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perma_agent.objectives import decoder_proximity, encoder_proximity
from perma_agent.types import Posterior

quarters = st.integers(-16, 16).map(lambda x: x / 4)
codes = st.lists(st.tuples(quarters, quarters), min_size=2, max_size=2)


def posterior_of(code: list[tuple[float, float]]) -> Posterior:
    return Posterior(torch.tensor([[m for m, _ in code]]), torch.tensor([[v for _, v in code]]))


def test_encoder_proximity_by_hand() -> None:
    # means (3, 4) apart: 9 + 16; deviations 1 and 2 in one latent: (2 - 1)²
    present, snapshot = posterior_of([(3.0, 0.0), (4.0, math.log(4))]), posterior_of([(0.0, 0.0), (0.0, 0.0)])
    assert encoder_proximity(present, snapshot).tolist() == pytest.approx([26.0])


@settings(deadline=None, max_examples=60)
@given(codes, codes)
def test_encoder_proximity_is_zero_iff_equal_and_symmetric(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    there, back = (
        float(encoder_proximity(posterior_of(a), posterior_of(b))) for a, b in ((first, second), (second, first))
    )
    assert there == pytest.approx(back) and there >= 0
    assert (there == 0) == (first == second)


def test_encoder_proximity_teaches_the_present_and_permutes_with_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    mean, other = torch.randn(2, 4, 3, generator=generator)
    mean.requires_grad_()
    present, snapshot = Posterior(mean, torch.zeros_like(mean)), Posterior(other, torch.zeros_like(other))
    encoder_proximity(present, snapshot).sum().backward()
    torch.testing.assert_close(mean.grad, 2 * (mean.detach() - other))  # equal variances: only the means pull
    order = torch.tensor([2, 0, 3, 1])
    permuted = encoder_proximity(*(Posterior(p.mean[order], p.log_variance) for p in (present, snapshot)))
    torch.testing.assert_close(permuted, encoder_proximity(present, snapshot)[order])


@pytest.mark.parametrize(
    ("likelihood", "output", "snapshot", "value"),
    [
        # KL(Bern(.5) || Bern(.75)) = .5 ln(2/3) + .5 ln 2, the snapshot's coin first
        ("bernoulli", math.log(3), 0.0, 0.5 * math.log(4 / 3)),
        # KL(Bern(.75) || Bern(.5)) = .75 ln 1.5 + .25 ln .5
        ("bernoulli", 0.0, math.log(3), 0.75 * math.log(1.5) + 0.25 * math.log(0.5)),
        ("gaussian", 0.9, 0.6, 0.5),  # .3² / (2 · .3²)
        ("gaussian", 0.4, 0.4, 0.0),
    ],
)
def test_decoder_proximity_by_hand(likelihood: str, output: float, snapshot: float, value: float) -> None:
    drawn, dreamt = (torch.full((1, 1, 2, 1), x) for x in (output, snapshot))
    assert float(decoder_proximity(drawn, dreamt, likelihood=likelihood, pixel_std=0.3)) == pytest.approx(2 * value)
