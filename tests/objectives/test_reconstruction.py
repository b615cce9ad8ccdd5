"""Errors of a reconstruction: zero for a perfect one whatever the frame, and the gradient of the likelihood."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from perma_agent.objectives import (
    bernoulli_divergence,
    bernoulli_error,
    block_means,
    coarse_error,
    contrast,
    gaussian_error,
    reconstruction_error,
)

# KL(Bern(.5) || Bern(.75)) = .5 ln(.5 / .75) + .5 ln(.5 / .25)
HALF_AGAINST_THREE_QUARTERS = 0.5 * math.log(2 / 3) + 0.5 * math.log(2)
LOGIT_THREE_QUARTERS = math.log(3)

quick = settings(deadline=None, max_examples=60)
pixels = st.integers(0, 255).map(lambda x: x / 255)


def image(*values: float) -> Tensor:
    """One grey frame, a row of pixels."""
    return torch.tensor(values).reshape(1, 1, 1, -1)


def divergence(x: float, p: float) -> float:
    """KL( Bern(x) || Bern(p) ) at double precision."""
    return (x * math.log(x / p) if x else 0.0) + ((1 - x) * math.log((1 - x) / (1 - p)) if x < 1 else 0.0)


def random_frames(count: int = 6) -> tuple[Tensor, Tensor]:
    first, second = torch.rand(2, count, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    return first, second


def errors(output: Tensor, frames: Tensor) -> dict[str, Tensor]:
    return {
        "bernoulli": bernoulli_error(torch.logit(output, eps=1e-6), frames),
        "gaussian": gaussian_error(output, frames, pixel_std=0.3),
        "coarse": coarse_error(output, frames, block=2),
    }


def test_bernoulli_by_hand() -> None:
    # ln 2 for certainty against a fair coin; nothing for .5 against .5; both add up over pixels
    assert float(bernoulli_error(image(0.0, 0.0), image(1.0, 0.5))) == pytest.approx(math.log(2))
    assert float(bernoulli_error(image(LOGIT_THREE_QUARTERS), image(0.5))) == pytest.approx(HALF_AGAINST_THREE_QUARTERS)


def test_gaussian_by_hand() -> None:
    # (.6² + .3²) / (2 · .3²) = .45 / .18
    assert float(gaussian_error(image(0.8, 0.1), image(0.2, 0.4), pixel_std=0.3)) == pytest.approx(2.5)


def test_coarse_by_hand() -> None:
    assert float(coarse_error(image(0.75), image(0.5), block=1)) == pytest.approx(HALF_AGAINST_THREE_QUARTERS)
    checkers, grey = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).reshape(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.5)
    assert float(coarse_error(grey, checkers, block=2)) == 0.0  # texture within a block
    assert float(coarse_error(grey, checkers, block=1)) == pytest.approx(4 * math.log(2))


def test_coarse_error_of_black_by_hand() -> None:
    # Black drawn as black: the mean is floored at .001, so KL(Bern(0) || Bern(.001)) = -ln .999 a block
    assert float(coarse_error(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), block=2)) == pytest.approx(
        -4 * math.log(0.999), rel=1e-3
    )


def test_divergence_by_hand() -> None:
    same = image(LOGIT_THREE_QUARTERS)
    assert float(bernoulli_divergence(same, image(0.0))) == pytest.approx(HALF_AGAINST_THREE_QUARTERS)
    assert float(bernoulli_divergence(same, same)) == pytest.approx(0.0, abs=1e-6)


@quick
@given(st.lists(st.tuples(pixels, pixels), min_size=1, max_size=6))
def test_divergences_of_any_pixels(drawn: list[tuple[float, float]]) -> None:
    frames, output = (image(*values) for values in zip(*drawn, strict=True))
    floored = [min(max(p, 1e-3), 1 - 1e-3) for _, p in drawn]  # as coarse_error keeps its means off 0 and 1
    expected = pytest.approx(
        sum(divergence(x, p) for (x, _), p in zip(drawn, floored, strict=True)), rel=1e-3, abs=1e-5
    )
    assert float(coarse_error(output, frames, block=1)) == expected
    assert float(bernoulli_error(torch.logit(image(*floored)), frames)) == expected


@quick
@given(st.lists(st.tuples(pixels, pixels), min_size=1, max_size=6))
def test_never_negative_and_zero_iff_equal(drawn: list[tuple[float, float]]) -> None:
    drawn = [(0.05 + 0.9 * x, 0.05 + 0.9 * p) for x, p in drawn]
    frames, output = (image(*values) for values in zip(*drawn, strict=True))
    equal = all(x == p for x, p in drawn)
    assert (float(gaussian_error(output, frames, pixel_std=0.3)) == 0.0) == equal
    for error in (coarse_error(output, frames, block=1), bernoulli_error(torch.logit(output), frames)):
        assert float(error) >= -2e-6 and (float(error) < 2e-6) == equal  # one step of 1/255 costs 2.8e-5 or more


@pytest.mark.parametrize("brightness", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_perfect_reconstruction_costs_nothing_however_bright(brightness: float) -> None:
    frames = torch.full((1, 3, 8, 8), brightness)
    logits = torch.logit(frames, eps=1e-7)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, frames, reduction="sum")
    assert float(bernoulli_error(logits, frames)) == pytest.approx(0.0, abs=1e-3)
    assert (float(cross_entropy) > 50) == (0.05 < brightness < 0.95)  # the raw one does depend on brightness


def test_permuting_the_batch_permutes_the_errors() -> None:
    frames, output = random_frames()
    order = torch.tensor([5, 0, 3, 1, 4, 2])
    for name, error in errors(output[order], frames[order]).items():
        torch.testing.assert_close(error, errors(output, frames)[name][order])


def test_gradient_of_bernoulli_error_is_that_of_the_cross_entropy() -> None:
    frames, output = random_frames()
    first, second = (torch.logit(output).requires_grad_() for _ in range(2))
    bernoulli_error(first, frames).sum().backward()
    functional.binary_cross_entropy_with_logits(second, frames, reduction="sum").backward()
    torch.testing.assert_close(first.grad, second.grad)


def test_gradient_of_coarse_error_is_that_of_the_naive_formula() -> None:
    frames, output = random_frames()
    first, second = output.clone().requires_grad_(), output.clone().requires_grad_()
    coarse_error(first, frames, block=2).sum().backward()
    x, p = (image.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(-1, -2)) for image in (frames, second))
    (x * (x / p).log() + (1 - x) * ((1 - x) / (1 - p)).log()).sum().backward()
    torch.testing.assert_close(first.grad, second.grad, rtol=1e-3, atol=1e-5)


def test_the_surest_wrong_drawing_is_finite() -> None:
    black, white = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    logits = torch.full((1, 1, 4, 4), 1e4, requires_grad=True)
    bernoulli_error(logits, black).sum().backward()
    drawn = white.clone().requires_grad_()
    coarse_error(drawn, black, block=1).sum().backward()
    assert torch.isfinite(logits.grad).all() and torch.isfinite(drawn.grad).all()
    assert coarse_error(drawn, black, block=4).item() == pytest.approx(math.log(1000), rel=1e-3)


def test_the_likelihood_chooses_the_error() -> None:
    frames, output = random_frames()
    chosen = reconstruction_error(output, frames, likelihood="bernoulli", pixel_std=0.3)
    assert torch.equal(chosen, bernoulli_error(output, frames))
    chosen = reconstruction_error(output, frames, likelihood="gaussian", pixel_std=0.3)
    assert torch.equal(chosen, gaussian_error(output, frames, pixel_std=0.3))


def test_a_block_larger_than_the_frame_is_the_whole_frame():
    frames, drawn = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    assert torch.equal(coarse_error(drawn, frames, block=99), coarse_error(drawn, frames, block=8))


def test_block_means_by_hand_leave_out_what_is_left_over():
    frames = torch.arange(15.0).reshape(1, 1, 3, 5)
    assert block_means(frames, block=2).tolist() == [[[[3.0, 5.0]]]]  # of 0 1 5 6 and of 2 3 7 8
    assert block_means(frames, block=9).tolist() == [[[[6.0]]]]  # a block is at most as large as the shorter side
    assert block_means(frames, block=1) is frames


def test_contrast_is_the_coarse_error_of_a_flat_drawing():
    frames = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    flat = frames.mean(dim=(1, 2, 3), keepdim=True).expand_as(frames)
    torch.testing.assert_close(contrast(frames, block=4), coarse_error(flat, frames, block=4) + 0.001 * 3 * 4 * 4)
