"""Noise tolerance on decoders whose curvature is known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from perma_agent.continual.noise_tolerance import SCALES, noise_tolerance

BEST = torch.tensor([0.3, -1.0, 2.0])


def quadratic(curvature: Tensor):
    """Errors ½ Σ h_n (z_n - z*_n)²: with noise of σ on latent n the expected cost is c + ½ h_n σ² - ln σ."""
    return lambda latents: 0.5 * (curvature * (latents - BEST).pow(2)).sum(dim=1)


def test_the_grid() -> None:
    assert SCALES == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@pytest.mark.parametrize("at_the_optimum", [True, False])
def test_the_tolerance_is_one_over_the_root_of_the_curvature(at_the_optimum: bool) -> None:
    latents = BEST.repeat(4, 1) if at_the_optimum else torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    tolerance = noise_tolerance(latents, quadratic(torch.tensor([64.0, 4.0, 1.0])))
    assert tolerance.tolist() == [1 / 8, 1 / 2, 1.0]


def test_ignored_latents_tolerate_the_most_and_sharp_ones_the_least() -> None:
    assert noise_tolerance(BEST[None], quadratic(torch.tensor([0.0, 1e6, 0.01]))).tolist() == [1.0, 1 / 32, 1.0]


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 3000.0))
def test_least_cost_on_the_grid(curvature: float) -> None:
    cost = {scale: 0.5 * curvature * scale**2 - math.log(scale) for scale in SCALES}
    found = float(noise_tolerance(BEST[None], quadratic(torch.tensor([curvature, 0.0, 0.0])))[0])
    assert cost[found] <= min(cost.values()) + 1e-4


def test_noise_enters_one_latent_at_a_time() -> None:
    # ½ · 64 (z_0 - z_1)²: each alone has a curvature of 64, though together they could move freely.
    tolerance = noise_tolerance(torch.zeros(1, 2), lambda z: 32.0 * (z[:, 0] - z[:, 1]).pow(2))
    assert tolerance.tolist() == [1 / 8, 1 / 8]


def test_odd_parts_of_the_error_cancel() -> None:
    # z³ adds nothing to the mean of z ± σ about 0
    assert noise_tolerance(torch.zeros(2, 1), lambda z: 32.0 * z[:, 0].pow(2) + 500.0 * z[:, 0].pow(3)).tolist() == [
        1 / 8
    ]


def test_the_mean_over_frames_counts() -> None:
    # Curvatures 128 and 0 in two frames: 64 on average
    rows = torch.tensor([128.0, 0.0])
    assert noise_tolerance(torch.zeros(2, 1), lambda z: 0.5 * rows * z[:, 0].pow(2)).tolist() == [1 / 8]
