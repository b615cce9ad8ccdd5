"""Noise tolerance: the largest noise on one latent that an environment's reconstructions do not mind (appendix A.2)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

SCALES = tuple(2.0**exponent for exponent in range(-5, 1))
"""Standard deviations tried for each latent, in units of the prior's: 1/32 to 1."""


@torch.no_grad()
def noise_tolerance(latents: Tensor, error_of: Callable[[Tensor], Tensor]) -> Tensor:
    """σ*_n of each latent, by a search over `SCALES`.

        σ*_n = argmin_σ E_{ε ~ N(0, σ²)}[ -log p(x | z + ε e_n, s) ] - log σ

    The expectation is taken over the two points z ± σ e_n (two-node Gauss-Hermite, exact for cubic polynomials), so
    that the result is deterministic.

    Args:
        latents: z of some frames, shape `[B, D]`.
        error_of: reconstruction errors in nats of those same frames for given latents, `[B, D]` -> `[B]`.

    Returns:
        σ*, shape `[D]`, one of `SCALES`; the largest for a latent that the decoder ignores.

    Reference:
        VASE, appendix A.2 (used latents); the search replaces the paper's joint optimisation of Σ.
    """
    dimensions = latents.shape[1]
    cost = torch.empty(len(SCALES), dimensions)
    for row, scale in enumerate(SCALES):
        for n in range(dimensions):
            step = torch.zeros(dimensions, device=latents.device)
            step[n] = scale
            expected = 0.5 * (error_of(latents + step).mean() + error_of(latents - step).mean())
            cost[row, n] = expected - math.log(scale)
    best: Tensor = torch.tensor(SCALES)[cost.argmin(dim=0)]
    return best
