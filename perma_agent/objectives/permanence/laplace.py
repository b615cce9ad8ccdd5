"""Laplace: the change of the code under a prior that expects most latents to stay and a few to jump (SlowVAE)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from perma_agent.objectives.permanence.prior import in_single_precision
from perma_agent.types import Posterior

Reduction = Literal["principled", "paper"]
"""How both directions of a pair are added up: see `laplace_transition`."""

FAR = 30.0
"""Standard deviations from which a Gaussian has no mass on the other side of 0, even in float64."""


def laplace_transition(
    posterior: Posterior, earlier: Posterior, mask: Tensor, *, rate: float = 6.0, reduction: Reduction = "principled"
) -> Tensor:
    """What SlowVAE's transition prior charges for a pair: KL of each posterior to a Laplace around the other's mean.

        CE(t) = Σ_n E_{z ~ q(z_n|x_t)} [ -log Laplace(z; μ_n(x_{t-o}), 1/λ) ]        (`laplace_cross_entropy`)
        H(t) = Σ_n ½ log( 2πe σ_n(x_t)² )
        "principled":   ½ [ CE(t) - H(t) ] + ½ [ CE(t-o) - H(t-o) ]
        "paper":        CE(t) + CE(t-o) - ½ [ H(t) + H(t-o) ]

    "principled" is the mean over both directions of KL( q(z|x_t) || Laplace(μ(x_{t-o}), 1/λ) ) and of its mirror image:
    a divergence, 0 or more. "paper" is what SlowVAE's code computes: both cross-entropies, but their mean entropy only
    once; it is twice the principled one plus the mean entropy, hence it pulls σ down and may be negative. To reproduce
    the paper's total take its γ as the weight (10, at λ = 6), β KL( q || N(0, I) ) as mean over both frames of all
    pairs (β = 1), and *twice* the mean reconstruction error over the same frames.

    Gradients flow into both means, also where they are the centre, and into both σ; the centre's σ is not counted.

    Args:
        posterior: q(z|x_t), shape `[B, D]`.
        earlier: q(z|x_{t-o}), shape `[B, D]`.
        mask: a^s, shape `[D]`; masked latents count nothing, neither as cross-entropy nor as entropy.
        rate: λ > 0, inverse scale of the Laplace, per unit of the latents.
        reduction: how the two directions are added up.

    Returns:
        Nats per pair, shape `[B]`. float32 (float64 for float64 posteriors).

    Reference:
        Klindt et al., Towards nonlinear disentanglement in natural data with temporal sparse coding (ICLR 2021), eq. 7
        and the authors' code.
    """
    keep = mask.bool()
    first, second = _kept(posterior, keep), _kept(earlier, keep)
    change = first.mean - second.mean
    cross = laplace_cross_entropy(change, first.std, rate=rate) + laplace_cross_entropy(change, second.std, rate=rate)
    entropy = 0.5 * (first.log_variance + second.log_variance) + math.log(2.0 * math.pi * math.e)  # H(t) + H(t-o)
    nats = 0.5 * (cross - entropy) if reduction == "principled" else cross - 0.5 * entropy
    return torch.where(keep, nats, torch.zeros_like(nats)).sum(dim=1)


def laplace_cross_entropy(change: Tensor, std: Tensor, *, rate: float) -> Tensor:
    """Cross-entropy of a Gaussian with a Laplace, in closed form.

        E_{z ~ N(m, σ²)} [ -log( λ/2 exp(-λ |z|) ) ] = -log(λ/2) + λ [ σ √(2/π) exp(-m²/2σ²) + m erf(m / √2σ) ]

    Args:
        change: m, the Gaussian's mean from the Laplace's centre, any shape.
        std: σ > 0, broadcasts against it.
        rate: λ > 0.

    Returns:
        Nats, elementwise; even and increasing in |m|, about λ|m| where m is many σ.
    """
    size = change.abs()
    deviations = torch.minimum(size, FAR * std) / std  # so that neither quotient nor square overflows
    near = std * math.sqrt(2.0 / math.pi) * torch.exp(-0.5 * deviations.pow(2))
    return rate * (near + size * torch.erf(deviations / math.sqrt(2.0))) - math.log(rate / 2.0)


def _kept(posterior: Posterior, keep: Tensor) -> Posterior:
    mean, log_variance = in_single_precision(posterior.mean), in_single_precision(posterior.log_variance)
    return Posterior(
        torch.where(keep, mean, torch.zeros_like(mean)), torch.where(keep, log_variance, torch.zeros_like(log_variance))
    )
