"""Bonus: what an intrinsic reward is told and asked at every step of N levels side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

Observations = np.ndarray | dict[str, np.ndarray]
"""Of N levels: an array `[N, ...]`, or one for each entry of a Dict."""
State = Mapping[str, Any]
"""Nested mappings and lists of numbers, strings, None, arrays and tensors."""


@dataclass(frozen=True, kw_only=True)
class Transitions:
    """One step of N levels side by side."""

    observations: Observations
    """Before the action."""
    actions: np.ndarray
    """What was done, `[N]` or `[N, A]`."""
    next_observations: Observations
    """After it; where an episode ended its last observation, never the first one of the next."""
    ended: np.ndarray
    """Whether the episode ended with this step, bool `[N]`."""
    timed_out: np.ndarray
    """Whether a time limit ended it, bool `[N]`; only where `ended`."""
    following: Observations
    """What the next step starts from: `next_observations`, but the first of the next episode where one ended."""
    infos: tuple[Mapping[str, Any], ...]
    """What the levels said, N of them; `info["factors"]` where they know their factors."""


class Bonus(ABC):
    """An intrinsic reward; `wrappers.BonusReward` asks it at each step and adds what it says to the level's own reward.

    It is bound to its levels once, told of the first frames at each reset, and then asked step by step. It learns when
    the wrapper says so, between two steps, from what it was asked about. All randomness comes from its own seed.
    """

    @abstractmethod
    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Get ready for `copies` levels that look and act like this.

        Raises:
            FrameError: the observations are none that it can read.
            LevelError: the actions are none that it can read.
        """

    @abstractmethod
    def begin(self, observations: Observations) -> None:
        """All N levels were reset and show this."""

    @abstractmethod
    def reward(self, step: Transitions) -> np.ndarray:
        """The reward of each level for this step, neither normalised nor weighed: finite float64 `[N]`."""

    @abstractmethod
    def learn(self) -> dict[str, float]:
        """Learn from the steps since the last call; returns figures to log by name, e.g. `loss`."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All that it needs to go on in another process bit for bit, see `State`."""

    @abstractmethod
    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood.

        Raises:
            ValueError: the state is of another kind or configuration.
        """

    @property
    def goal_space(self) -> spaces.Box | None:
        """Space of what a policy may be shown of its goal; None where none is pursued."""
        return None

    @property
    def goals(self) -> np.ndarray:
        """What each level lacks of its goal at its next step, float32 `[N, G]`; only where `goal_space` is one.

        The goal as it is seen from where the level stands: what is lacking says in which direction to go, which a
        small policy would else have to learn to subtract.
        """
        raise NotImplementedError(f"{type(self).__name__} pursues no goals")

    @property
    def last_goals(self) -> np.ndarray:
        """What each level lacked, at the end of the step just asked about, of the goal that it pursued until then."""
        raise NotImplementedError(f"{type(self).__name__} pursues no goals")
