"""Bonus scale: an intrinsic reward divided by its own running spread, since its size means nothing and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.imagination.baselines.running_moments import RunningMoments
from perma_agent.wrappers.bonus_config import BonusRewardConfig

SMALLEST = 1e-8
"""Added to the variance: a bonus that was always the same is divided by 1e-4 at most, and then cut."""


class BonusScale:
    """The normaliser of N levels' bonuses.

        R_t = γ R_{t-1} + r_t,   r̂_t = clip( r_t / √( Var[R] + 1e-8 ), ±c )

    with the variance over all steps of all levels so far, this one included, and R begun anew in each episode, where
    the agent's own returns end too; RND's authors let theirs run on, as their agent's intrinsic return does. For
    `rewards` γ is 0, for `none` r̂ = r. While it warms up r̂ = 0.

    Args:
        config: what to divide by.
        levels: N.

    Reference:
        Burda et al., Exploration by random network distillation (2018), section 2.4.
    """

    def __init__(self, config: BonusRewardConfig, *, levels: int) -> None:
        self.config = config
        self.moments = RunningMoments()
        self.returns = np.zeros(levels)
        self.steps = 0

    def begin(self) -> None:
        """All levels were reset: their returns begin anew."""
        self.returns = np.zeros_like(self.returns)

    def __call__(self, rewards: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Take the rewards of one step in, and say what they are in units of the spread.

        Args:
            rewards: finite, shape `[N]`.
            ended: which episodes ended with this step, bool `[N]`.
        """
        if self.config.normalise == "none":
            return rewards
        discount = self.config.discount if self.config.normalise == "returns" else 0.0
        self.returns = discount * self.returns + rewards
        self.moments.update(self.returns)
        self.returns = np.where(ended, 0.0, self.returns)
        self.steps += 1
        if self.steps <= self.config.warmup:
            return np.zeros_like(rewards)
        clipped: np.ndarray = np.clip(rewards / self.deviation, -self.config.clip, self.config.clip)
        return clipped

    @property
    def deviation(self) -> float:
        """What the bonus is divided by at present; 1 where nothing is normalised."""
        return 1.0 if self.config.normalise == "none" else float(np.sqrt(self.moments.variance + SMALLEST))

    def state_dict(self) -> dict[str, Any]:
        """Moments, count and the returns under way."""
        return {"moments": self.moments.state_dict(), "returns": self.returns.copy(), "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave; returns of other levels are not taken over."""
        self.moments.load_state_dict(state["moments"])
        self.steps = int(state["steps"])
        if len(state["returns"]) == len(self.returns):
            self.returns = np.array(state["returns"], dtype=np.float64)
