"""The permanence article's own cases as worlds with known factors, one case a file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from perma_agent.data.article_worlds.brightness import BrightnessWorld
from perma_agent.data.article_worlds.gaze import GazeWorld
from perma_agent.data.article_worlds.hidden_object import HiddenObjectWorld
from perma_agent.data.article_worlds.moving_objects import MovingObjectsWorld
from perma_agent.data.article_worlds.tilt import TiltWorld
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.world import (
    ArticleWorld,
    FactorGroup,
    WalkPairs,
    WorldFactor,
    WorldFrames,
    WorldPairs,
    WorldSequences,
)

ARTICLE_WORLDS: Mapping[str, type[WalkingWorld]] = MappingProxyType(
    {
        "gaze": GazeWorld,
        "tilt": TiltWorld,
        "brightness": BrightnessWorld,
        "moving-objects": MovingObjectsWorld,
        "hidden-object": HiddenObjectWorld,
    }
)
"""Name → world, in the article's order; called without arguments, each is as the studies take it."""

__all__ = [
    "ARTICLE_WORLDS",
    "ArticleWorld",
    "BrightnessWorld",
    "FactorGroup",
    "GazeWorld",
    "HiddenObjectWorld",
    "MovingObjectsWorld",
    "TiltWorld",
    "WalkPairs",
    "WalkingWorld",
    "WorldFactor",
    "WorldFrames",
    "WorldPairs",
    "WorldSequences",
]
