"""Bonus renewal: a VASE that was published to the policy reaches the bonuses round its levels too."""

from __future__ import annotations

from stable_baselines3.common.vec_env import VecEnv

from perma_agent.continual import Learner
from perma_agent.sb3.state.level_state import wrappers_of


def renew_bonuses(venv: VecEnv | None, learner: Learner) -> int:
    """Tell each bonus that follows a VASE that it was published.

    A wrapper's `bonus` is told if it has a method `renew(learner)`; it decides for itself when to take the VASE over.

    Args:
        venv: the agent's levels, in wrappers; None if it has none.
        learner: of the VASE as it was published.

    Returns:
        How many were told.
    """
    told = 0
    for wrapper in wrappers_of(venv) if venv is not None else []:
        bonus = vars(wrapper).get("bonus")  # its own: VecEnvWrapper would ask the wrapped one
        if hasattr(type(bonus), "renew"):
            bonus.renew(learner)  # type: ignore[union-attr]  # it has the method
            told += 1
    return told
