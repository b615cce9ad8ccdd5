"""Tilt: the head tilts, so that the image turns about its middle; the scene stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.data.article_worlds.drawing import column, pixels
from perma_agent.data.article_worlds.scene import CONTENT, paint_scene
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.world import FactorGroup, WorldFactor


@dataclass(frozen=True, eq=False, kw_only=True)
class TiltWorld(WalkingWorld):
    """A landscape (`scene.CONTENT`), seen by a head that tilts.

    Factor `tilt`: degrees by which the head leans to the left (counter-clockwise), which turns the image to the right
    (clockwise). Over the full circle no single number can tell it without a jump, and `tilt cos` and `tilt sin` take
    its place: each by itself is not uniform then, and neither is independent of the other.

    "As the life form tilts its head, the image will rotate."
    """

    most: float = 60.0
    """Largest tilt to either side, in degrees, above 0 and at most 150; unused where `full_circle`."""
    full_circle: bool = False
    """Whether the head may turn all the way around."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.most <= 150:
            raise ValueError(
                f"expected a largest tilt above 0 and at most 150 degrees, got {self.most}; "
                "set full_circle to turn all the way around"
            )

    @property
    def walked(self) -> tuple[WorldFactor, ...]:
        """The tilt in degrees, then the content."""
        most = 180.0 if self.full_circle else self.most
        return (WorldFactor(name="tilt", low=-most, high=most, changing=True, circular=self.full_circle), *CONTENT)

    @property
    def factors(self) -> tuple[WorldFactor, ...]:
        """The tilt, as one number or as two on the circle, then the content."""
        if not self.full_circle:
            return self.walked
        circle = [WorldFactor(name=f"tilt {name}", low=-1.0, high=1.0, changing=True) for name in ("cos", "sin")]
        return (*circle, *CONTENT)

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The tilt: one thing, of two latents at most."""
        return (FactorGroup(name="tilt", factors=self.changing, most_latents=2),)

    def describe(self, shares: np.ndarray) -> np.ndarray:
        """The tilt in degrees, or its cosine and sine, beside the content."""
        values = super().describe(shares)
        if not self.full_circle:
            return values
        angle = np.radians(values[:, 0])
        return np.column_stack([np.cos(angle), np.sin(angle), values[:, 1:]])

    def paint(self, factors: np.ndarray) -> np.ndarray:
        """The scene, turned about the middle of the view."""
        u, v = pixels(self.canvas)
        content = factors[:, len(self.changing) :]
        angle = np.arctan2(factors[:, 1], factors[:, 0]) if self.full_circle else np.radians(factors[:, 0])
        cos, sin = column(np.cos(angle)), column(np.sin(angle))
        return paint_scene(content, cos * u + sin * v, cos * v - sin * u, self.canvas)[:, None]
