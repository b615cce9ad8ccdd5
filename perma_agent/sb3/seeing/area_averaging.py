"""Area averaging: pictures of any size become frames of the model's, each pixel the mean of the area it covers."""

from __future__ import annotations

import torch
from torch import Tensor


def area_weights(length: int, size: int) -> Tensor:
    """How much of each of `length` old pixels lies in each of `size` new ones, along one axis.

        w[i, j] = |[i·r, (i+1)·r] ∩ [j, j+1]| / r,  r = length / size

    Args:
        length: pixels before.
        size: pixels after; more of them than before repeat the old ones.

    Returns:
        Float32 of shape `[size, length]`; rows sum to 1.
    """
    ratio = length / size
    begins = torch.arange(size, dtype=torch.float64)[:, None] * ratio
    pixels = torch.arange(length, dtype=torch.float64)[None, :]
    overlap = torch.minimum(begins + ratio, pixels + 1) - torch.maximum(begins, pixels)
    return (overlap.clamp(min=0.0) / ratio).float()


def average_areas(pictures: Tensor, *, rows: Tensor, columns: Tensor) -> Tensor:
    """Resize pictures as OpenCV's `INTER_AREA` does, but without rounding to whole pixel values.

    Only a picture that shrinks one way and grows the other comes out otherwise: OpenCV averages no areas there.

    Args:
        pictures: floats of shape `[..., H, W]`.
        rows: `area_weights(H, size)`.
        columns: `area_weights(W, size)`.

    Returns:
        Shape `[..., size, size]`.
    """
    return rows @ pictures @ columns.T
