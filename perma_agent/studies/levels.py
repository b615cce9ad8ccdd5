"""Copies of levels side by side in one process, each watched by a Monitor, as SB3 and the recorder take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gymnasium as gym
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.envs import level_info, make_level
from perma_agent.wrappers import ReplayableLevel


@dataclass(frozen=True, kw_only=True)
class LevelChoice:
    """A level and the arguments it is made with."""

    id: str
    """Of `perma_agent.envs.catalogue()`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of the level, e.g. `{"rows": 1}`."""

    @property
    def setting(self) -> str:
        """`indoor` or `outdoor`."""
        return level_info(self.id).setting


def make_copies(choices: Sequence[LevelChoice], *, copies: int, replayable: bool = False) -> DummyVecEnv:
    """`copies` levels in one process, the choices in turn.

    One process: on two cores it was faster than one process a level with 1 and 2 copies, and as fast with 4 and 8
    (`perma-agent study throughput --levels`).

    Args:
        choices: at least one level.
        copies: how many to make.
        replayable: whether an episode under way can be taken up in another process.

    Raises:
        LevelError: a level or one of its arguments is unknown, or its engine is missing.
    """
    if not choices or copies < 1:
        raise ValueError(f"expected at least one level and one copy, got {len(choices)} and {copies}")

    def maker(choice: LevelChoice) -> gym.Env[Any, Any]:
        level = Monitor(make_level(choice.id, **choice.arguments))
        return ReplayableLevel(level) if replayable else level

    chosen = [choices[index % len(choices)] for index in range(copies)]
    return DummyVecEnv([partial(maker, choice) for choice in chosen])
