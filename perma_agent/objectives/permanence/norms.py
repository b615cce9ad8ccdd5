"""Norms: the members of the family that are functions of a change alone, beside P_b."""

from __future__ import annotations

import torch
from torch import Tensor

from perma_agent.objectives.permanence.prior import SMALLEST_CHANGE, in_single_precision, permanence


def permanence_direction(change: Tensor) -> Tensor:
    """P_0 with a harmless gradient: the direction of P_0's, at a length that does not grow as the change shrinks.

        value = P_0(Δ)
        gradient = ||Δ||₂ ∇P_0(Δ) = sign(Δ) - P_0(Δ) Δ / ||Δ||₂

    The gradient is that of ||Δ||₁ - sg(P_0(Δ)) ||Δ||₂, whose value is 0 everywhere and would say nothing in a log;
    no function has it, so the value is what it makes smaller. It is orthogonal to Δ: a step neither shrinks nor grows
    the change. Its length is √(k - P_0²) < √D where k latents change, whatever their size; 0 where none or one does.
    It is taken for constant: second derivatives are 0.

    Args:
        change: Δ, shape `[..., D]`; 0 (and what `permanence` takes for 0) has value 1 and gradient 0.

    Returns:
        One value per change, shape `[...]`, in [1, √D]; no unit. float32 (float64 for a float64 change).

    Reference:
        Ours; P_0 is that of "Permanence - one prior to rule them all".

    Example:
        >>> change = torch.tensor([3.0, 4.0], requires_grad=True)
        >>> value = permanence_direction(change)  # 7 / 5
        >>> torch.autograd.grad(value, change)[0]  # 1 - 7/5 · 3/5, 1 - 7/5 · 4/5
        tensor([ 0.1600, -0.1200])
    """
    change = in_single_precision(change)
    fixed = change.detach()
    largest = fixed.abs().amax(dim=-1, keepdim=True)
    scaled = torch.where(largest > SMALLEST_CHANGE, fixed / largest, torch.zeros_like(fixed))
    unit = scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True).clamp_min(1.0)  # less than 1 only where 0
    value = permanence(fixed, b=0.0)
    slope = scaled.sign() - value.unsqueeze(-1) * unit
    with_slope: Tensor = value + (slope * (change - fixed)).sum(dim=-1)  # adds exactly 0
    return with_slope


def l1_change(change: Tensor) -> Tensor:
    """Sum of the latents' changes, ||Δ||₁ = Σ_n |Δ_n|: shape `[..., D]` to `[...]`, in units of the latents.

    In [||Δ||₂, √D ||Δ||₂]; the gradient is sign(Δ), of length √k where k latents change.
    """
    return in_single_precision(change).abs().sum(dim=-1)


def l2_change(change: Tensor) -> Tensor:
    """Squared change, the slowness of slow feature analysis: ||Δ||₂² = Σ_n Δ_n², shape `[..., D]` to `[...]`.

    In squared units of the latents; the gradient is 2 Δ. Where ||Δ||₂ is above 1.8e19 float32 cannot hold it: the value
    is inf then, and the gradient still right.

    Reference:
        Wiskott and Sejnowski, Slow feature analysis (2002).
    """
    return in_single_precision(change).pow(2).sum(dim=-1)


def hoyer_square(change: Tensor) -> Tensor:
    """Hoyer-Square of a change, ||Δ||₁² / ||Δ||₂² = P_0(Δ)²: shape `[..., D]` to `[...]`, in [1, D]; no unit.

    1 where one latent changes (or none), k where k change equally. Its gradient is as steep as P_0's: 1 / ||Δ||₂.

    Reference:
        Yang et al., DeepHoyer (ICLR 2020), eq. 3; there of weights.
    """
    return permanence(change, b=0.0).pow(2)
