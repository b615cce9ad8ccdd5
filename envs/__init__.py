"""Levels with known factors, indoor and outdoor; importing this registers them and never needs a display."""

if __name__ != "perma_agent.envs":
    raise ImportError(
        f"this folder ships as `perma_agent.envs` but was imported as `{__name__}`: "
        "run `pip install -e .`, then import `perma_agent.envs`"
    )

import gymnasium as _gymnasium

from perma_agent.envs.actions import ACTIONS
from perma_agent.envs.catalogue import LevelInfo, catalogue, level_info, make_level
from perma_agent.envs.factors import FactorSpec, factor_specs_of
from perma_agent.envs.suite.levels import SUITE
from perma_agent.envs.table.levels import TABLE_LEVELS
from perma_agent.envs.vizdoom.levels import VIZDOOM_LEVELS

__all__ = [
    "ACTIONS",
    "SUITE",
    "FactorSpec",
    "LevelInfo",
    "catalogue",
    "factor_specs_of",
    "level_info",
    "make_level",
]

for _info in SUITE + TABLE_LEVELS + VIZDOOM_LEVELS:
    if _info.id not in _gymnasium.registry:
        _gymnasium.register(
            _info.id,
            entry_point=_info.entry_point,
            max_episode_steps=_info.max_episode_steps,
            kwargs=dict(_info.arguments),
        )
