"""Reconstruction: how badly the decoder explains a frame, in nats.

Both errors below are zero for a perfect reconstruction, whatever the frame. For the Bernoulli likelihood that is the
cross-entropy minus the frame's own entropy, i.e. KL(frame || p): the subtracted entropy is constant in the parameters
(same gradient as the paper's negative log-likelihood), but without it the value depends on the frame's brightness, and
a dark new environment would look well explained by the decoder of a bright old one (eq. 6 compares these values).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

PROBABILITY_FLOOR = 1e-3
"""Reconstructed means are kept this far from 0 and 1 in `coarse_error`: a quarter of one step of an 8-bit pixel."""


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


def reconstruction_error(
    output: Tensor, frames: Tensor, *, likelihood: Literal["bernoulli", "gaussian"], pixel_std: float
) -> Tensor:
    """The error of the model's own likelihood: `bernoulli_error` or `gaussian_error`, in nats per frame, shape `[B]`.

    Args:
        output: raw decoder output, shape `[B, C, H, W]`.
        frames: x in [0, 1], shape `[B, C, H, W]`.
        likelihood: of the model.
        pixel_std: σ_x of the Gaussian likelihood, in units of the pixel range; unused by the Bernoulli one.
    """
    if likelihood == "bernoulli":
        return bernoulli_error(output, frames)
    return gaussian_error(output, frames, pixel_std=pixel_std)


def coarse_error(mean_frame: Tensor, frames: Tensor, *, block: int) -> Tensor:
    """How wrong a reconstruction is at the scale of blocks, whatever it misses of texture within them.

        error = Σ_blocks KL( Bern(x̄) || Bern(p̄) ),  x̄, p̄ the block means of x and p

    Novelty shows at this scale: fine texture stays unexplained in familiar frames and in new ones alike and buries the
    difference. A small model of MiniWorld's OneRoom, FourRooms and Maze erred 0.9 to 1.1 times as much on Hallway,
    TMaze and ThreeRooms, which it had not seen, as on its own levels, and outdoors 1.9 to 3.5 times as much with blocks
    of one pixel but 2.3 to 4.8 times with blocks of four (one seed, 1,000 updates).
    (The Bernoulli divergence serves both likelihoods: near x it is the squared error, weighted by 1 / 2x̄(1 - x̄).)

    Args:
        mean_frame: p = E[x|z, s] in [0, 1], shape `[B, C, H, W]`.
        frames: x in [0, 1], shape `[B, C, H, W]`.
        block: side of a block in pixels; 1 compares pixel by pixel, more than the frame has the whole frame.

    Returns:
        Nats per frame, shape `[B]`, never negative; zero iff all block means agree (where x̄ is within
        `PROBABILITY_FLOOR` of 0 or 1, up to 0.001 a block).
    """
    return _divergence(block_means(frames, block=block), block_means(mean_frame, block=block))


def block_means(frames: Tensor, *, block: int) -> Tensor:
    """Means of blocks of `block` × `block` pixels, at most the whole frame; what is left over at the edges is left out.

    Args:
        frames: shape `[B, C, H, W]`.
        block: side of a block in pixels.

    Returns:
        Shape `[B, C, H // block, W // block]`.
    """
    block = min(block, *frames.shape[-2:])
    return functional.avg_pool2d(frames, block) if block > 1 else frames


def _divergence(blocks: Tensor, expected: Tensor) -> Tensor:
    """Σ KL( Bern(blocks) || Bern(expected) ) over all but the first dimension, shape `[B]`."""
    expected = expected.clamp(PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    divergence = torch.special.xlogy(blocks, blocks / expected) + torch.special.xlogy(
        1.0 - blocks, (1.0 - blocks) / (1.0 - expected)
    )
    error: Tensor = divergence.flatten(1).sum(dim=1).clamp_min(0.0)
    return error


def contrast(frames: Tensor, *, block: int) -> Tensor:
    """How much there is to explain in a frame: its `coarse_error` were it drawn as one flat grey.

        contrast = Σ_blocks KL( Bern(x̄) || Bern(mean of x) ) + 0.001 per block

    The last summand is what `coarse_error` cannot tell from none, so that a share of the contrast stays finite where
    there is nothing to see.

    Args:
        frames: x in [0, 1], shape `[B, C, H, W]`.
        block: side of a block in pixels, as for `coarse_error`.

    Returns:
        Nats per frame, shape `[B]`, positive.
    """
    blocks = block_means(frames, block=block)
    flat = frames.mean(dim=(1, 2, 3), keepdim=True)
    return _divergence(blocks, flat) + PROBABILITY_FLOOR * blocks[0].numel()


def bernoulli_divergence(output: Tensor, teacher: Tensor) -> Tensor:
    """KL( Bern(teacher) || Bern(output) ) of two decoders' logits, summed over pixels: nats per frame, shape `[B]`."""
    return bernoulli_error(output, torch.sigmoid(teacher))
