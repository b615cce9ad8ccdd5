"""Moving objects: several of them, each with its own look, which move independently of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.data.article_worlds.drawing import Distance, column, cover, diamond, disc, lay_over, pixels, square
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.walks import one_mover
from perma_agent.data.article_worlds.world import FactorGroup, WorldFactor

LOOKS: tuple[tuple[str, Distance, float], ...] = (
    ("square", square, 0.45),
    ("disc", disc, 1.0),
    ("diamond", diamond, 0.7),
)
"""Name, shape and brightness of each object, in the order in which they are laid over each other."""
SIZES = (0.10, 0.16)
"""Least and largest radius or half side, in view sides; a diamond, which is slim, has 1.4 times that."""
MARGIN = 0.16
"""How near to the edge an object's middle may come, in view sides: all discs and squares are whole."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MovingObjectsWorld(WalkingWorld):
    """A square, a disc and where asked for a diamond on a black ground; where they meet, the later is in front.

    Factors of each object: `x`, `y` of its middle, in view sides from the left and the top; and its `size`, which
    stays. In each step one of them moves, in x and y at once, and now and then all do.

    "One that understands the boundaries of an object in the image, with the object's location explicitly expressed."
    """

    objects: int = 2
    """How many, 2 or 3."""
    together: float = 0.1
    """Chance that all move in a step; else one of them does."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.objects <= len(LOOKS):
            raise ValueError(f"expected 2 to {len(LOOKS)} objects, got {self.objects}")
        if not 0 <= self.together <= 1:
            raise ValueError(f"expected together as a chance from 0 to 1, got {self.together}")

    @property
    def walked(self) -> tuple[WorldFactor, ...]:
        """X and y of each object, then the sizes."""
        names = [name for name, _, _ in LOOKS[: self.objects]]
        places = [
            WorldFactor(name=f"{name} {axis}", low=MARGIN, high=1 - MARGIN, changing=True)
            for name in names
            for axis in ("x", "y")
        ]
        low, high = SIZES
        return (*places, *(WorldFactor(name=f"{name} size", low=low, high=high) for name in names))

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The objects."""
        return tuple(
            FactorGroup(name=LOOKS[i][0], factors=(2 * i, 2 * i + 1), most_latents=4) for i in range(self.objects)
        )

    def moves(self, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """Laplace steps of whoever moves."""
        moving = np.repeat(one_mover((count, steps), self.objects, together=self.together, rng=rng), 2, axis=2)
        moves = super().moves(count, steps, rng)
        moves[..., : 2 * self.objects] *= moving
        return moves

    def paint(self, factors: np.ndarray) -> np.ndarray:
        """The objects, one laid over the other."""
        u, v = pixels(self.canvas)
        painted = np.zeros((len(factors), self.canvas, self.canvas), np.float32)
        for i, (name, distance, brightness) in enumerate(LOOKS[: self.objects]):
            x, y = column(factors[:, 2 * i] - 0.5), column(factors[:, 2 * i + 1] - 0.5)
            radius = column(factors[:, 2 * self.objects + i]) * np.float32(1.4 if name == "diamond" else 1)
            painted = lay_over(painted, brightness, cover(distance(u - x, v - y, radius), self.canvas))
        return painted[:, None]
