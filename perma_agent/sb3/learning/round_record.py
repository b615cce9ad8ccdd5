"""Record of one round of updates between two rollouts, and the metrics that are logged of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from perma_agent.continual import Learner, Update

_STATES = ("environment/index", "environment/count", "environment/pending", "latents/masked")
"""Metrics of which the last is logged, since a mean of them says nothing."""


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """What one round of updates found."""

    timesteps: int
    """Of the agent."""
    step: int
    """Batches that the learner had seen after it."""
    environment: int | None
    """The environment inferred last."""
    environments: int
    """How many are known."""
    opened: bool
    """Whether a new one was opened."""
    undecided: int
    """Batches that surprised and were not learnt from."""
    atypicality: tuple[float, ...]
    """α of each latent in nats, mean over the batches."""
    masked: tuple[int, ...]
    """Latents masked in the environment inferred last."""

    @classmethod
    def of(cls, updates: Sequence[Update], *, learner: Learner, timesteps: int) -> RoundRecord:
        """Sum up a round.

        Args:
            updates: of the round, at least one.
            learner: after it.
            timesteps: of the agent.
        """
        return cls(
            timesteps=timesteps,
            step=learner.step,
            environment=learner.environment,
            environments=len(learner.inference.records),
            opened=any(update.opened for update in updates),
            undecided=sum(update.environment is None for update in updates),
            atypicality=tuple(torch.stack([update.alpha for update in updates]).mean(dim=0).tolist()),
            masked=tuple(torch.nonzero(~updates[-1].mask).flatten().tolist()),
        )


def summary(updates: Sequence[Update]) -> dict[str, float]:
    """Means of the metrics over a round; of states the last; nothing of what was not a number all through."""
    names = dict.fromkeys(name for update in updates for name in update.metrics)
    means = {}
    for name in names:
        values = np.array([update.metrics[name] for update in updates if name in update.metrics])
        known = values[~np.isnan(values)]
        if len(known):
            means[name] = float(known[-1] if name in _STATES else known.mean())
    return means
