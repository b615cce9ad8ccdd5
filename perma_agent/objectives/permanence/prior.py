"""P_b, the permanence prior: how many latents share in a change of the code, from one frame to another."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST_CHANGE = 1e-30
"""A change of no larger component is none: b over it would overflow float32, and so would the gradient of P_0."""

LARGEST_BIAS = 1e15
"""b in units of the largest component of a change beyond which P_b is 1 to float32, and b/u may overflow."""


def permanence(change: Tensor, *, b: float | Tensor = 0.1) -> Tensor:
    """The permanence prior P_b of a change of the code.

        P_b(Δ) = ( ||Δ||₁ + b ) / ( ||Δ||₂ + b )

    Args:
        change: Δ = A(I_t) - A(I_{t-o}), shape `[..., D]`.
        b: bias ≥ 0, in units of the latents; broadcasts against `[...]`. With b = 0 a change of exactly zero has no
            direction: its value is 1 (the least) and its gradient 0; one below `SMALLEST_CHANGE` counts as zero.

    Returns:
        One value per change, shape `[...]`, in [1, √D]; no unit. float32 (float64 for a float64 change).

    Reference:
        "Permanence - one prior to rule them all", section "Choosing a permanence loss function".

    Example:
        >>> permanence(torch.tensor([[3.0, 0.0], [1.0, 1.0]]), b=0.0)
        tensor([1.0000, 1.4142])
    """
    change = in_single_precision(change)
    largest = change.detach().abs().amax(dim=-1)
    bias = torch.as_tensor(b, dtype=change.dtype, device=change.device)
    unit = torch.where(largest > SMALLEST_CHANGE, largest, torch.ones_like(largest))
    unit = torch.maximum(unit, bias / LARGEST_BIAS)
    changed = largest > SMALLEST_CHANGE  # the others' value is put in below; here they must not make a gradient NaN
    scaled = change / unit.unsqueeze(-1)  # so that neither norm over- or underflows; P_b(Δ) = P_{b/u}(Δ/u)
    scaled = torch.where(changed.unsqueeze(-1), scaled, torch.zeros_like(scaled))
    bias = torch.where(changed, bias / unit, torch.ones_like(unit))
    l1 = scaled.abs().sum(dim=-1)
    l2 = torch.linalg.vector_norm(scaled, dim=-1)  # its gradient at 0 is 0, unlike that of a square root
    value = (l1 + bias) / torch.where(l2 + bias > 0, l2 + bias, torch.ones_like(l2))
    return torch.where(changed, value, torch.ones_like(value))


def normalised_permanence(change: Tensor) -> Tensor:
    """(P_0(Δ) - 1) / (√D - 1) in [0, 1], comparable between codes of different size: shape `[...]`.

    0 when one latent changes, 1 when all change equally; Gaussian noise gives about (√(2D/π) - 1) / (√D - 1).
    """
    dimensions = change.shape[-1]
    if dimensions < 2:
        raise ValueError(f"expected at least 2 latents, got {dimensions}; sparsity of one number means nothing")
    normalised: Tensor = (permanence(change, b=0.0) - 1.0) / (dimensions**0.5 - 1.0)
    return normalised


def in_single_precision(values: Tensor) -> Tensor:
    """Half precision as float32, where norms of small changes survive; float32 and float64 as they are."""
    return values if values.dtype == torch.float64 else values.float()
