"""Change term: what each pair of frames is charged for the change of its code, by any member of the family."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from perma_agent.objectives.permanence.config import MemberConfig
from perma_agent.objectives.permanence.laplace import laplace_transition
from perma_agent.objectives.permanence.norms import hoyer_square, l1_change, l2_change, permanence_direction
from perma_agent.objectives.permanence.prior import in_single_precision, permanence
from perma_agent.objectives.permanence.schedule import scheduled_b, weigh_offsets
from perma_agent.types import Posterior

NORMS = {"direction": permanence_direction, "l1": l1_change, "l2": l2_change, "hoyer-square": hoyer_square}
"""Members that need nothing but the change."""


def change_term(
    posterior: Posterior,
    earlier: Posterior,
    mask: Tensor,
    offsets: Tensor | np.ndarray,
    *,
    config: MemberConfig,
    step: int,
) -> Tensor:
    """The term of a batch of pairs: the configured member of each change, weighed by offset; without the weight.

    A function of each pair, never of batch means (but for the spread that a relative b is measured in, through which no
    gradient goes); of posterior means, not samples: noise of unused latents would drive samples to the Gaussian-noise
    value √(2D/π). "laplace" also depends on σ.

    Args:
        posterior: of I_t, shape `[B, D]`.
        earlier: of I_{t-o}, shape `[B, D]`; gradients flow into both.
        mask: a^s, shape `[D]`; masked latents take no part and get a gradient of exactly 0.
        offsets: o, in steps, integers of shape `[B]`.
        config: member and parameters; its weight is the caller's to apply (`warm_up`).
        step: learning steps so far, by which b is scheduled.

    Returns:
        One value per pair, shape `[B]`; range and unit are the member's. float32 (float64 for float64 posteriors).

    Example:
        >>> later = Posterior(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2))
        >>> earlier = Posterior(torch.zeros(1, 2), torch.zeros(1, 2))
        >>> config = MemberConfig(member="hoyer-square")
        >>> change_term(later, earlier, torch.ones(2), torch.tensor([1]), config=config, step=0)  # (3 + 4)² / 25
        tensor([1.9600])
    """
    values = _member(posterior, earlier, mask, config=config, step=step)
    return weigh_offsets(values, offsets, factors=config.offset_weights)


def permanence_of_pairs(posterior: Posterior, earlier: Posterior, mask: Tensor, *, b: float, relative: bool) -> Tensor:
    """P_b of each pair's change in posterior means, over unmasked latents.

    Args:
        posterior: of I_t, shape `[B, D]`.
        earlier: of I_{t-o}, shape `[B, D]`.
        mask: a^s, shape `[D]`; masked latents take no part.
        b: bias; in units of the latents, or of their spread if `relative`.
        relative: take b times the root-mean-square spread of the latents in the batch, √(Σ_n var z_n), so that a shrunk
            code gains nothing. No gradient goes through it: a step takes b for fixed and still pulls the code together.

    Returns:
        One value per pair, shape `[B]`, in [1, √D].
    """
    change = change_of_means(posterior, earlier, mask)
    if not relative:
        return permanence(change, b=b)
    return permanence(change, b=b * spread(torch.cat([posterior.mean, earlier.mean]), mask))


def change_of_means(posterior: Posterior, earlier: Posterior, mask: Tensor) -> Tensor:
    """Δ of posterior means, 0 for masked latents: shape `[B, D]`."""
    change = in_single_precision(posterior.mean) - in_single_precision(earlier.mean)
    return torch.where(mask.bool(), change, torch.zeros_like(change))


def spread(means: Tensor, mask: Tensor) -> Tensor:
    """√(Σ_n var z_n) over unmasked latents and the batch, a scalar without gradient; 1 where all are masked."""
    kept = in_single_precision(means.detach())[:, mask.bool()]
    if not kept.shape[1]:
        return kept.new_ones(())
    largest = kept.abs().max()
    unit = torch.where(largest > 0, largest, torch.ones_like(largest))  # so that no variance over- or underflows
    return unit * (kept / unit).var(dim=0, unbiased=False).sum().sqrt()


def _member(posterior: Posterior, earlier: Posterior, mask: Tensor, *, config: MemberConfig, step: int) -> Tensor:
    if config.member == "p_b":
        b = scheduled_b(config, step=step)
        return permanence_of_pairs(posterior, earlier, mask, b=b, relative=config.relative)
    if config.member == "laplace":
        return laplace_transition(posterior, earlier, mask, rate=config.rate, reduction=config.reduction)
    if config.member == "none":
        return in_single_precision(posterior.mean).new_zeros(len(posterior.mean))
    return NORMS[config.member](change_of_means(posterior, earlier, mask))
