"""Permanence: how many latents share in a change of the code, from one frame to another some steps away.

What holds for P_b, checked by the tests: differentiable almost everywhere; even in each component; symmetric under
permutations; for b = 0 scale-invariant, between 1 (exactly one latent changes) and √D (all change equally); for b > 0
between 1 and √D too, and bounded in gradient. What does not, though the article asks for it: it is not monotone
(P_0(1, 1) = 1.414 but P_0(2, 1) = 1.342: property 4), and zeroing the *largest* component can raise it
(P_0(10, 1, 1) = 1.188 but P_0(0, 1, 1) = 1.414: property 5; the L1 norm fails it alike). And for b > 0 it rewards
shrinking, P_b(0) = 1: keep the capacity term, which pins the scale of the code, or take b relative to its spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from perma_agent.types import Posterior

SMALLEST_CHANGE = 1e-30
"""A change of no larger component is none: b over it would overflow float32, and so would the gradient of P_0."""


@dataclass(frozen=True, kw_only=True)
class PermanenceConfig:
    """How strongly changes of the code are kept sparse."""

    weight: float = 1.0
    """Nats per unit of P_b; 0 turns permanence off."""
    b: float = 0.1
    """b of P_b."""
    relative: bool = True
    """Whether b is in units of the latents' spread, or of the latents themselves."""
    warm_up: int = 1_000
    """Learning steps over which the weight rises from 0: too early, it collapses the code."""

    def __post_init__(self) -> None:
        if not self.b >= 0:
            raise ValueError(f"expected b >= 0, got {self.b}")


def permanence(change: Tensor, *, b: float | Tensor = 0.1) -> Tensor:
    """The permanence prior P_b of a change of the code.

        P_b(Δ) = ( ||Δ||₁ + b ) / ( ||Δ||₂ + b )

    Args:
        change: Δ = A(I_t) - A(I_{t-o}), shape `[..., D]`.
        b: bias ≥ 0, in units of the latents; broadcasts against `[...]`. With b = 0 a change of exactly zero has no
            direction: its value is 1 (the least) and its gradient 0; one below `SMALLEST_CHANGE` counts as zero.

    Returns:
        One value per change, shape `[...]`, float32, in [1, √D]; no unit. Computed in float32.

    Reference:
        "Permanence - one prior to rule them all", section "Choosing a permanence loss function".

    Example:
        >>> permanence(torch.tensor([[3.0, 0.0], [1.0, 1.0]]), b=0.0)
        tensor([1.0000, 1.4142])
    """
    change = change.float()
    largest = change.detach().abs().amax(dim=-1)
    unit = torch.where(largest > SMALLEST_CHANGE, largest, torch.ones_like(largest))
    scaled = change / unit.unsqueeze(-1)  # so that neither norm over- or underflows; P_b(Δ) = P_{b/u}(Δ/u)
    bias = torch.as_tensor(b, dtype=change.dtype, device=change.device) / unit
    l1 = scaled.abs().sum(dim=-1)
    l2 = torch.linalg.vector_norm(scaled, dim=-1)  # its gradient at 0 is 0, unlike that of a square root
    value = (l1 + bias) / torch.where(l2 + bias > 0, l2 + bias, torch.ones_like(l2))
    return torch.where(l2 > 0, value, torch.ones_like(value))


def permanence_of_pairs(posterior: Posterior, earlier: Posterior, mask: Tensor, *, b: float, relative: bool) -> Tensor:
    """P_b of each pair's change in posterior means, over unmasked latents.

    Means, not samples: noise of unused latents would drive samples to the Gaussian-noise value √(2D/π).

    Args:
        posterior: of I_t, shape `[B, D]`.
        earlier: of I_{t-o}, shape `[B, D]`.
        mask: a^s, shape `[D]`; masked latents take no part.
        b: bias; in units of the latents, or of their spread if `relative`.
        relative: take b times the root-mean-square spread of the latents in the batch, so that a shrunk code gains
            nothing. No gradient goes through it: a step takes b for fixed and still pulls the code together.

    Returns:
        One value per pair, shape `[B]`, in [1, √D].
    """
    keep = mask.bool()
    change = torch.where(keep, posterior.mean - earlier.mean, torch.zeros_like(posterior.mean))
    if not relative:
        return permanence(change, b=b)
    both = torch.cat([posterior.mean, earlier.mean]).detach().float()
    variance = both.var(dim=0, unbiased=False)[keep]
    spread = variance.sum().sqrt() if len(variance) else torch.ones((), device=both.device)
    return permanence(change, b=b * spread)


def normalised_permanence(change: Tensor) -> Tensor:
    """(P_0(Δ) - 1) / (√D - 1) in [0, 1], comparable between codes of different size: shape `[...]`.

    0 when one latent changes, 1 when all change equally; Gaussian noise gives about (√(2D/π) - 1) / (√D - 1).
    """
    dimensions = change.shape[-1]
    if dimensions < 2:
        raise ValueError(f"expected at least 2 latents, got {dimensions}; sparsity of one number means nothing")
    normalised: Tensor = (permanence(change, b=0.0) - 1.0) / (dimensions**0.5 - 1.0)
    return normalised
