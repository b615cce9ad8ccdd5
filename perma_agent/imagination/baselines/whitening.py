"""Whitening: observations in units of their own spread, so that a random network tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from perma_agent.imagination.baselines.observation_reading import Seen
from perma_agent.imagination.baselines.running_moments import RunningMoments

LARGEST = 5.0
"""Whitened values are cut to plus or minus this."""
SMALLEST = 1e-8
"""Added to the variance."""


class Whitening:
    """Each pixel and each number less its running mean, over its running deviation, cut off.

        x̂ = clip( (x - mean) / √( variance + 1e-8 ), ±5 )

    Args:
        shapes: of each entry, without the batch.

    Reference:
        Burda et al., Exploration by random network distillation (2018), section 2.4.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.moments = {name: RunningMoments(shape) for name, shape in shapes.items()}

    def update(self, seen: Seen) -> None:
        """Take a batch into mean and variance."""
        for name, moments in self.moments.items():
            moments.update(seen[name].cpu().numpy())

    def __call__(self, seen: Seen) -> Seen:
        """A batch, whitened."""
        return {name: _whitened(values, self.moments[name]) for name, values in seen.items()}

    def state_dict(self) -> dict[str, Any]:
        """Moments of each entry."""
        return {name: moments.state_dict() for name, moments in self.moments.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            ValueError: it is of other observations.
        """
        if set(state) != set(self.moments):
            raise ValueError(f"expected moments of {sorted(self.moments)}, got {sorted(state)}; observe as before")
        for name, moments in self.moments.items():
            moments.load_state_dict(state[name])


def _whitened(values: Tensor, moments: RunningMoments) -> Tensor:
    mean, variance = (torch.from_numpy(part).to(values) for part in (moments.mean, moments.variance))
    return ((values - mean) / (variance + SMALLEST).sqrt()).clamp(-LARGEST, LARGEST)
