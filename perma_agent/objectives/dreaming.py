"""Dreaming: the present model must still see and draw what its snapshot dreams of past environments."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from perma_agent.objectives.reconstruction import bernoulli_divergence, gaussian_error
from perma_agent.types import Posterior


def encoder_proximity(posterior: Posterior, snapshot: Posterior) -> Tensor:
    """Squared 2-Wasserstein distance between two diagonal Gaussians.

        term = ||μ - μ'||² + ||σ - σ'||²

    Args:
        posterior: q_φ(z|x') of the present encoder, shape `[B, D]`.
        snapshot: q_φ'(z|x') of the snapshot's encoder, shape `[B, D]`, without gradient.

    Returns:
        One value per dreamt frame, shape `[B]`, in squared latent units, never negative.

    Reference:
        VASE, eq. 7, first term, with the Wasserstein distance of section 3.5.
    """
    mean = (posterior.mean - snapshot.mean).pow(2)
    spread = (posterior.std - snapshot.std).pow(2)
    return (mean + spread).sum(dim=1)


def decoder_proximity(
    output: Tensor, snapshot: Tensor, *, likelihood: Literal["bernoulli", "gaussian"], pixel_std: float
) -> Tensor:
    """How far the present decoder strays from what the snapshot drew from the same latents.

        term = KL( p_θ'(x'|z, s') || p_θ(x'|z, s') )

    Args:
        output: raw decoder output of the present model, shape `[B, C, H, W]`.
        snapshot: that of the snapshot, of the same shape, without gradient.
        likelihood: whether these are logits of Bernoullis or means of Gaussians.
        pixel_std: σ_x of the Gaussians, in units of the pixel range.

    Returns:
        Nats per dreamt frame, shape `[B]`, never negative; zero iff both draw the same.

    Reference:
        VASE, eq. 7, second term; with the snapshot first, as what is to be kept.
    """
    if likelihood == "bernoulli":
        return bernoulli_divergence(output, snapshot)
    return gaussian_error(output, snapshot, pixel_std=pixel_std)
