"""Schedule: how b goes over the learning steps, and how pairs of different offsets share the weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from perma_agent.objectives.permanence.config import MemberConfig


def scheduled_b(config: MemberConfig, *, step: int) -> float:
    """The bias of P_b after `step` learning steps.

        geometric:  b(t) = b (b_end / b)^p        linear:  b(t) = b + p (b_end - b)        p = min(1, t / b_steps)

    A large b early leaves changes of any size and shape nearly free, so that the code takes up what there is to see; a
    small one later asks for sparse changes however small.

    Args:
        config: b, b_end, b_steps and the course.
        step: t, learning steps so far, at least 0.
    """
    if config.b_end is None:
        return config.b
    done = min(1.0, step / config.b_steps)
    if config.b_course == "linear":
        return config.b + done * (config.b_end - config.b)
    return config.b * math.pow(config.b_end / config.b, done)


def weigh_offsets(values: Tensor, offsets: Tensor | np.ndarray, *, factors: Sequence[tuple[int, float]]) -> Tensor:
    """Values of pairs weighed by their offsets, so that their mean is the weighted mean of what came in.

        out_i = v_i w(o_i) / mean_j w(o_j),   w(o) its factor, 1 where o is not named

    So equal factors change nothing, and the term stays in its range whatever they are. A batch whose pairs all have
    factor 0 gives zeros.

    Args:
        values: v, one per pair, shape `[B]`.
        offsets: o, in steps, integers of shape `[B]`.
        factors: (offset, factor), factors of 0 or more.

    Returns:
        Shape `[B]`; `values` itself where no offset is named.

    Raises:
        ValueError: not one offset for each value.
    """
    if len(offsets) != len(values):
        raise ValueError(f"expected one offset for each of {len(values)} pairs, got {len(offsets)}")
    if not factors:
        return values
    steps = torch.as_tensor(offsets, device=values.device)
    weights = torch.ones_like(values)
    for offset, factor in factors:
        weights = torch.where(steps == offset, torch.full_like(weights, factor), weights)
    mean = weights.mean()
    return torch.where(mean > 0, weights / mean.where(mean > 0, torch.ones_like(mean)), weights) * values
