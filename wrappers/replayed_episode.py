"""Replayed episode: what a level showed while an episode under way was played again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ReplayedEpisode:
    """What a level showed while an episode was played again."""

    seed: int | None
    """Given to its reset."""
    observation: Any
    """The last one."""
    steps: list[tuple[Any, Any, float, dict[str, Any]]]
    """Action (None for the reset), observation, reward and info, from the reset on; empty unless it was asked for."""
