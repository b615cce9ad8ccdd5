"""Collapse guard: what keeps a code alive that no decoder asks anything of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

VARIANCE_FLOOR = 1e-4
"""Added to a variance before its root, whose gradient would be infinite at 0."""


@dataclass(frozen=True, kw_only=True)
class CollapseGuardConfig:
    """How strongly the code is kept spread and uncorrelated (VICReg's weights)."""

    enabled: bool = True
    """False leaves the code to collapse: for ablations."""
    variance: float = 25.0
    """Weight of the hinge that keeps each latent's standard deviation at 1 or above."""
    covariance: float = 1.0
    """Weight of the squared covariances between latents."""

    def __post_init__(self) -> None:
        if not (self.variance >= 0 and self.covariance >= 0):
            raise ValueError(f"expected weights >= 0 of the collapse guard, got {self}")


def variance_hinge(codes: Tensor) -> Tensor:
    """How far each latent's spread over the batch falls short of 1.

        hinge_d = max( 0, 1 - √( var(z_d) + 1e-4 ) )

    Args:
        codes: z, shape `[B, D]`, B of at least 2.

    Returns:
        Shape `[D]`, in [0, 1): nearly 1 for a latent that is constant. In units of the latent.

    Raises:
        ValueError: fewer than two codes, which have no spread.

    Reference:
        Bardes et al., VICReg, ICLR 2022, eq. 1.
    """
    return torch.relu(1.0 - torch.sqrt(_centred(codes).pow(2).sum(dim=0) / (len(codes) - 1) + VARIANCE_FLOOR))


def covariance(codes: Tensor) -> Tensor:
    """Squared covariances of each latent with the others.

        c_d = Σ_{e ≠ d} cov(z_d, z_e)²

    Args:
        codes: z, shape `[B, D]`, B of at least 2.

    Returns:
        Shape `[D]`, never negative, in units of the latents to the fourth; 0 where latents are uncorrelated.

    Raises:
        ValueError: fewer than two codes, which have no covariance.

    Reference:
        Bardes et al., VICReg, ICLR 2022, eq. 4.
    """
    centred = _centred(codes)
    table = (centred.T @ centred / (len(codes) - 1)).pow(2)
    return table.sum(dim=1) - table.diagonal()


def _centred(codes: Tensor) -> Tensor:
    if codes.ndim != 2 or len(codes) < 2:
        raise ValueError(f"expected at least two codes [B, D] to spread, got shape {tuple(codes.shape)}")
    return codes - codes.mean(dim=0)
