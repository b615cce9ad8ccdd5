"""Change: the term that a change of the code costs, as the hosts add it to their others."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from perma_agent.objectives import PermanenceConfig, change_terms
from perma_agent.types import Posterior


def add_change(
    terms: dict[str, Tensor],
    weights: dict[str, float],
    pairs: tuple[Posterior, Posterior],
    offsets: Tensor | np.ndarray,
    *,
    config: PermanenceConfig,
    step: int,
) -> None:
    """Add what a batch of pairs is charged for the change of all its latents (`objectives.change_terms`).

    Args:
        terms: gets the terms of each pair, shape `[P]`; none where a change costs nothing.
        weights: gets their weights.
        pairs: posteriors of I_t and of I_{t-o}, each `[P, D]`.
        offsets: o, in steps, integers of shape `[P]`.
        config: members, parameters, weights and schedules.
        step: learning steps so far.
    """
    later, earlier = pairs
    every = torch.ones(later.mean.shape[1], dtype=torch.bool, device=later.mean.device)
    for name, values, weight in change_terms(later, earlier, every, offsets, config=config, step=step):
        terms[name], weights[name] = values, weight
