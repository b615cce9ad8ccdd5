"""MiniWorld's own levels, as they come with it."""

from __future__ import annotations

from perma_agent.envs.catalogue import LevelInfo

MINIWORLD_LEVELS: tuple[LevelInfo, ...] = ()
