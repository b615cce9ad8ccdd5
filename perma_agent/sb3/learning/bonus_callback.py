"""Bonus callback: what an intrinsic reward pays, weighs and has learnt, in the log of the agent that it pays."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from perma_agent.sb3.state.level_state import wrappers_of
from perma_agent.wrappers import BonusReward


class BonusCallback(BaseCallback):
    """Logs the figures of the `BonusReward` round an agent's levels.

    | key                                | holds                                                                  |
    |------------------------------------|------------------------------------------------------------------------|
    | `bonus/raw`, `bonus/weighed`       | bonus of a step before and after it is normalised and weighed, means   |
    | `bonus/weight`, `bonus/deviation`  | what it is multiplied with and divided by at present                   |
    | `bonus/ep_raw_mean`                | its sum over an episode, mean of those that ended since the last line  |
    | `bonus/loss` and others            | what the bonus said when it learnt last                                |

    `rollout/ep_rew_mean` stays the level's own return, as long as the Monitor is inside.

    Example:
        >>> agent = PPO("CnnPolicy", BonusReward(venv, "rnd"))  # doctest: +SKIP
        >>> agent.learn(1_000_000, callback=BonusCallback())  # doctest: +SKIP

    Raises:
        ValueError: as training starts, the levels are in no `BonusReward`; of several the outermost is logged.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rewarded: BonusReward | None = None
        self._episodes: list[float] = []

    def _on_training_start(self) -> None:
        found = [wrapper for wrapper in wrappers_of(self.training_env) if isinstance(wrapper, BonusReward)]
        if not found:
            raise ValueError("expected levels in BonusReward, got none to log; wrap them, or leave BonusCallback out")
        self._rewarded = found[0]

    def _on_step(self) -> bool:
        infos: list[dict[str, Any]] = self.locals.get("infos", [])
        self._episodes += [info["bonus_episode"]["bonus"] for info in infos if "bonus_episode" in info]
        return True

    def _on_rollout_end(self) -> None:
        assert self._rewarded is not None
        for name, value in self._rewarded.take_figures().items():
            self.logger.record(f"bonus/{name}", value)
        if self._episodes:
            self.logger.record("bonus/ep_raw_mean", float(np.mean(self._episodes)))
            self._episodes = []
