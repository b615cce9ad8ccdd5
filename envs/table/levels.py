"""Levels without an engine: a picture on a table, after the VASE paper's figure 5B."""

from __future__ import annotations

from perma_agent.envs.catalogue import LevelInfo

TABLE_LEVELS: tuple[LevelInfo, ...] = (
    LevelInfo(
        id="perma/SpriteTable-v0",
        setting="indoor",
        task="push",
        engine="numpy",
        max_episode_steps=50,
        reward_range=(0.0, 1.0),
        description="Push a picture about on a table, one of scikit-learn's digits or of images that are passed in; "
        "pays nothing without a target, +1 on it, which ends the episode. Success: the picture reached the target.",
        entry_point="perma_agent.envs.table.level:SpriteTable",
    ),
)
"""The table."""
