"""Dreaming: the present model must still see and draw what its snapshot dreams of past environments."""

from __future__ import annotations

from torch import Tensor

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
