"""Shown goal: observations as Dicts in which a policy sees, beside what the level shows, what a bonus pursues."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from perma_agent.imagination.bonus import Observations

GOAL = "goal"
"""Entry of the Dict that holds the goal."""
OBSERVATION = "observation"
"""Entry that holds what the level shows, where that is no Dict already."""


class ShownGoal:
    """How a goal stands beside observations of one space: in the Dict that they are, or in one with them.

    Args:
        observed: what the levels show.
        goals: space of a level's goal.

    Raises:
        ValueError: there is no goal, or an entry of this name already.
    """

    def __init__(self, observed: spaces.Space[Any], goals: spaces.Box | None) -> None:
        if goals is None:
            raise ValueError("expected a bonus that pursues goals for show_goal, got one without; leave show_goal off")
        inner = observed.spaces if isinstance(observed, spaces.Dict) else {OBSERVATION: observed}
        if GOAL in inner:
            raise ValueError(
                f"expected observations without an entry {GOAL!r}, got {list(inner)}; rename the level's, or leave "
                "show_goal off"
            )
        self._alone = not isinstance(observed, spaces.Dict)
        self.space = spaces.Dict({**inner, GOAL: goals})

    def all(self, observations: Observations, goals: np.ndarray) -> dict[str, np.ndarray]:
        """Observations of N levels and their goals, a copy of which is shown."""
        entries = {OBSERVATION: observations} if not isinstance(observations, dict) else observations
        return {**entries, GOAL: np.array(goals, dtype=np.float32)}

    def one(self, observation: Any, goal: np.ndarray) -> dict[str, np.ndarray]:
        """The same for one level."""
        entries = {OBSERVATION: observation} if self._alone else dict(observation)
        return {**entries, GOAL: np.array(goal, dtype=np.float32)}
