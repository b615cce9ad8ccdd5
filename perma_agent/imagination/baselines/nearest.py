"""Nearest: distances of points to the nearest ones of others."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_distances(points: Tensor, others: Tensor, *, count: int) -> Tensor:
    """Euclidean distances of each point to the nearest of others, ascending.

    Args:
        points: shape `[B, F]`.
        others: shape `[M, F]`; the points themselves are not among them.
        count: k; fewer where there are fewer others.

    Returns:
        Shape `[B, min(k, M)]`; exact, not from products of matrices, which are off where points almost meet.
    """
    distances = torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.topk(min(count, len(others)), dim=1, largest=False).values
