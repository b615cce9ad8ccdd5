"""Gaze: the eye wanders over a scene larger than its view; the scene stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.data.article_worlds.drawing import column, pixels
from perma_agent.data.article_worlds.scene import CONTENT, paint_scene
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.world import FactorGroup, WorldFactor


@dataclass(frozen=True, eq=False, kw_only=True)
class GazeWorld(WalkingWorld):
    """A landscape (`scene.CONTENT`), seen through a window that moves over it.

    Factors `x` and `y`: where the middle of the view lies, in view sides to the right of and below the middle of the
    scene. Looking to the right moves everything in the frame to the left. At the ends a part of it is out of view.

    "As the life form shifts its gaze, the image appearing in front of its eye shifts as well."
    """

    reach: float = 0.2
    """How far the gaze goes to each side, in view sides, above 0 and at most 0.3: further on, the disc may be lost."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.reach <= 0.3:
            raise ValueError(f"expected a reach above 0 and at most 0.3 view sides, got {self.reach}")

    @property
    def walked(self) -> tuple[WorldFactor, ...]:
        """X and y, then the content."""
        gaze = [WorldFactor(name=name, low=-self.reach, high=self.reach, changing=True) for name in ("x", "y")]
        return (*gaze, *CONTENT)

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The gaze."""
        return (FactorGroup(name="gaze", factors=(0, 1), most_latents=4),)

    def paint(self, factors: np.ndarray) -> np.ndarray:
        """The part of the scene that is in view."""
        u, v = pixels(self.canvas)
        x, y = column(factors[:, 0]), column(factors[:, 1])
        return paint_scene(factors[:, 2:], u + x, v + y, self.canvas)[:, None]
