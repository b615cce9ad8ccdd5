"""Kernel density: how densely points lie round each of them."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

NARROWEST = 0.05
"""A dimension's kernel is no narrower than this share of the widest one: what hardly varies says little."""


def log_density(points: np.ndarray) -> np.ndarray:
    """Logarithm of a Gaussian kernel density at its own points.

        log p(z_i) = log 1/M Σ_j Π_d N( z_id; z_jd, h_d² ),   h_d = M^(-1/(D+4)) max( σ_d, 0.05 max σ )

    Args:
        points: shape `[M, D]`.

    Returns:
        Nats, shape `[M]`; 0 everywhere if all points are the same.

    Reference:
        Scott, Multivariate density estimation (1992), for the bandwidth.
    """
    spread = points.std(axis=0, dtype=np.float64)
    if spread.max() == 0:
        return np.zeros(len(points))
    width = len(points) ** (-1 / (points.shape[1] + 4)) * np.maximum(spread, NARROWEST * spread.max())
    scaled = (points - points.mean(axis=0)) / width
    squared = np.square(scaled).sum(axis=1)
    apart = np.maximum(squared[:, None] + squared[None] - 2 * scaled @ scaled.T, 0.0)
    constant = math.log(len(points)) + np.log(width).sum() + points.shape[1] / 2 * math.log(2 * math.pi)
    density: np.ndarray = logsumexp(-0.5 * apart, axis=1) - constant
    return density
