"""Which levels there are, and how to make any of them by its id; loads no engine until a level is made."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from perma_agent.envs.vocabulary import Setting
from perma_agent.errors import LevelError


@dataclass(frozen=True, kw_only=True)
class LevelInfo:
    """One level that can be made here."""

    id: str
    """What `make_level` takes."""
    setting: Setting
    """Indoor or outdoor."""
    task: str
    """What is to be done, one word."""
    engine: str
    """Name of the engine that draws it."""
    max_episode_steps: int
    """Steps after which an episode is truncated."""
    reward_range: tuple[float, float]
    """Lowest and highest reward of one step."""
    description: str
    """Task, rewards, and what `is_success` means; one or two sentences."""
    needs: str = ""
    """What must be installed beyond perma_agent itself, empty where nothing must."""
    entry_point: str
    """`module:name` of the Gymnasium environment, loaded when the level is made."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments the level is made with unless others are given."""


PACKAGES = "libgl1 libegl1 libglu1-mesa libfreetype6 libglib2.0-0"
"""Debian's names of what MiniWorld and OpenCV need of the system."""
SYSTEM = f"OpenGL and EGL (Debian packages {PACKAGES})"
"""The same, as `LevelInfo.needs`."""
WHAT_TO_INSTALL = f"on Debian or Ubuntu run `apt-get install {PACKAGES}`, then `perma-agent doctor`"
"""What an error tells those who lack it."""


def catalogue() -> tuple[LevelInfo, ...]:
    """All levels of all engines, ours first."""
    from perma_agent.envs.dmlab.levels import DMLAB_LEVELS
    from perma_agent.envs.miniworld.levels import MINIWORLD_LEVELS
    from perma_agent.envs.suite.levels import SUITE
    from perma_agent.envs.table.levels import TABLE_LEVELS
    from perma_agent.envs.vizdoom.levels import VIZDOOM_LEVELS

    return SUITE + TABLE_LEVELS + MINIWORLD_LEVELS + VIZDOOM_LEVELS + DMLAB_LEVELS


def level_info(level_id: str) -> LevelInfo:
    """The entry of one level.

    Raises:
        LevelError: when there is no such level; names the nearest ones.
    """
    from perma_agent.envs.dmlab.levels import dmlab_alias

    levels = {info.id: info for info in catalogue()}
    if level_id not in levels and (alias := dmlab_alias(str(level_id))) is not None:
        return alias
    if level_id not in levels:
        near = difflib.get_close_matches(str(level_id), levels, n=3, cutoff=0.5) or list(levels)
        raise LevelError(
            f"expected the id of a level, got {level_id!r}; did you mean {', '.join(near)}? "
            "`perma-agent levels` lists them all"
        )
    return levels[level_id]


def make_level(level_id: str, **arguments: Any) -> gym.Env[Any, Any]:
    """Make any level of the catalogue: 64×64 RGB frames, one action space, factors and success in `info`.

    Args:
        level_id: of `catalogue()`.
        **arguments: the level's own, and `max_episode_steps`.

    Raises:
        LevelError: when the level or an argument is unknown or invalid, or the engine is missing.
    """
    info = level_info(level_id)
    steps = arguments.get("max_episode_steps", info.max_episode_steps)
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise LevelError(f"expected max_episode_steps of {info.id} as a whole number of at least 1, got {steps!r}")
    return gym.make(level_spec(info), **arguments)


def level_spec(info: LevelInfo) -> EnvSpec:
    """What Gymnasium needs to register or make a level."""
    return EnvSpec(
        id=info.id,
        entry_point=info.entry_point,
        max_episode_steps=info.max_episode_steps,
        kwargs=dict(info.arguments),
    )
