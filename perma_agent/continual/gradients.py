"""Gradients kept near their usual size, so that no single batch can throw the model off what it knows."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

RATE = 0.05
"""Share of each gradient's norm in the running mean: some 20 batches."""


def clip_gradients(parameters: Iterable[nn.Parameter], *, usual: float, limit: float) -> float:
    """Scale the gradients down if their norm is more than `limit` times the usual one.

        g ← g · min(1, limit · ḡ / ||g||),   ḡ ← ḡ + 0.05 (min(||g||, limit · ḡ) - ḡ)

    Without it a batch whose gradient is tens of times the usual one (the squared capacity term gives such batches)
    raises the error on everything, and a learner that judges novelty by its error takes that for a new environment.

    Args:
        parameters: with their gradients; scaled in place.
        usual: ḡ, running mean of the norm; 0 before the first batch, which is never scaled.
        limit: how many times the usual norm is allowed, above 1; no unit.

    Returns:
        The new ḡ.
    """
    held = list(parameters)
    norm = float(nn.utils.get_total_norm([parameter.grad for parameter in held if parameter.grad is not None]))
    if not usual:
        return norm
    allowed = limit * usual
    if norm > allowed:
        for parameter in held:
            if parameter.grad is not None:
                parameter.grad.mul_(allowed / norm)
    return usual + RATE * (min(norm, allowed) - usual)
