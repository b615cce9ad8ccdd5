"""Brightness: a cloud passes before the sun and all becomes darker by one share; the scene stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.data.article_worlds.drawing import column, pixels
from perma_agent.data.article_worlds.scene import CONTENT, paint_scene
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.world import FactorGroup, WorldFactor


@dataclass(frozen=True, eq=False, kw_only=True)
class BrightnessWorld(WalkingWorld):
    """A landscape (`scene.CONTENT`) under changing light.

    Factor `light`: what every pixel is multiplied by, from `darkest` to 1; a frame is the scene times it. The ground
    by itself does not tell it, since its own brightness differs from scene to scene.

    "As a cloud moves in front of the sun, the life form observes the image become darker from one moment to the next."
    """

    darkest: float = 0.35
    """The least light, above 0 and below 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.darkest < 1:
            raise ValueError(f"expected the darkest light above 0 and below 1, got {self.darkest}")

    @property
    def walked(self) -> tuple[WorldFactor, ...]:
        """The light, then the content."""
        return (WorldFactor(name="light", low=self.darkest, high=1.0, changing=True), *CONTENT)

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The light."""
        return (FactorGroup(name="light", factors=(0,), most_latents=2),)

    def paint(self, factors: np.ndarray) -> np.ndarray:
        """The scene times the light."""
        u, v = pixels(self.canvas)
        painted: np.ndarray = (paint_scene(factors[:, 1:], u, v, self.canvas) * column(factors[:, 0]))[:, None]
        return painted
