"""None: no bonus, so that a run without one is made as all others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from perma_agent.imagination.bonus import Bonus, Observations, State, Transitions


@dataclass(frozen=True, kw_only=True)
class NoBonusConfig:
    """Nothing to set."""


class NoBonus(Bonus):
    """Zero at each step.

    Args:
        config: empty, so that it is made as all others are.
    """

    def __init__(self, config: NoBonusConfig | None = None) -> None:
        self.config = config or NoBonusConfig()

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Any levels will do."""

    def begin(self, observations: Observations) -> None:
        """Nothing to get ready."""

    def reward(self, step: Transitions) -> np.ndarray:
        """Zeros, shape `[N]`."""
        return np.zeros(len(step.ended))

    def learn(self) -> dict[str, float]:
        """Nothing to learn."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Empty."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Nothing to take over."""
