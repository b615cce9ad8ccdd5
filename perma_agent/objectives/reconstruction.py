"""Reconstruction: how badly the decoder explains a frame, in nats.

Both errors below are zero for a perfect reconstruction, whatever the frame. For the Bernoulli likelihood that is the
cross-entropy minus the frame's own entropy, i.e. KL(frame || p): the subtracted entropy is constant in the parameters
(same gradient as the paper's negative log-likelihood), but without it the value depends on the frame's brightness, and
a dark new environment would look well explained by the decoder of a bright old one (eq. 6 compares these values).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def bernoulli_error(output: Tensor, frames: Tensor) -> Tensor:
    """Excess negative log-likelihood of a product of Bernoullis, summed over channels and pixels.

        error = Σ_i KL( Bern(x_i) || Bern(p_i) ),  p = sigmoid(output)

    Args:
        output: logits, shape `[B, C, H, W]`.
        frames: x in [0, 1], shape `[B, C, H, W]`.

    Returns:
        Nats per frame, shape `[B]`, never negative; zero iff p = x.

    Reference:
        VASE, eq. 3 (first term) and section 3.5; the entropy is subtracted for the reason above.
    """
    cross_entropy = functional.binary_cross_entropy_with_logits(output, frames, reduction="none")
    entropy = -(torch.xlogy(frames, frames) + torch.xlogy(1.0 - frames, 1.0 - frames))
    return (cross_entropy - entropy).flatten(1).sum(dim=1)


def gaussian_error(output: Tensor, frames: Tensor, *, pixel_std: float) -> Tensor:
    """Excess negative log-likelihood of Gaussians with fixed variance, summed over channels and pixels.

        error = ||x - m||² / (2 σ_x²),  m = output

    Args:
        output: means, shape `[B, C, H, W]`.
        frames: x in [0, 1], shape `[B, C, H, W]`.
        pixel_std: σ_x, in units of the pixel range.

    Returns:
        Nats per frame up to the likelihood's constant, shape `[B]`, never negative; zero iff m = x.
    """
    return (output - frames).pow(2).flatten(1).sum(dim=1) / (2.0 * pixel_std**2)


def bernoulli_divergence(output: Tensor, teacher: Tensor) -> Tensor:
    """KL( Bern(teacher) || Bern(output) ) of two decoders' logits, summed over pixels: nats per frame, shape `[B]`."""
    return bernoulli_error(output, torch.sigmoid(teacher))
