"""Hidden object: it passes behind something for a while and comes out again as what it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perma_agent.data.article_worlds.drawing import Distance, column, cover, diamond, disc, lay_over, pixels, square
from perma_agent.data.article_worlds.walking_world import WalkingWorld
from perma_agent.data.article_worlds.world import FactorGroup, WorldFactor
from perma_agent.data.sprite_rendering import colours

SHAPES: tuple[tuple[str, Distance, float], ...] = (
    ("disc", disc, 1.0),
    ("square", square, 0.85),
    ("diamond", diamond, 1.0),
)
"""Name, shape and radius of each, relative to `size`: none reaches further to the sides than that."""
SIZES = (0.09, 0.125)
"""Least and largest size, in view sides."""
OCCLUDER = 7 / 32
"""Half the width of the grey bar in the middle, in view sides; it is as high as the view."""
OCCLUDER_BRIGHTNESS = 0.5
"""Of the bar, in all channels; the ground is black."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenObjectWorld(WalkingWorld):
    """One coloured object that goes to and fro at constant speed, and behind a bar whenever it is in the middle.

    Factors: `x` changes; `y`, and what the object is, `shape`, `hue` and `size`, stay. The speed is the trajectory's
    own, and no factor, since a frame does not show it. Sequences start with the object in full view. `draw` and
    `pairs` take it anywhere, also where it cannot be seen: nothing but memory tells its factors there.

    "If we now allow the life form to also have a form of memory …, we can plausibly expect properties such as object
    permanence to arise."
    """

    hues: int = 6
    """Different colours, at least 2."""
    speeds: tuple[float, float] = (0.025, 0.05)
    """Least and largest speed, in view sides a step: hidden for 4 to 10 steps on end. `step` is not used."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hues < 2:
            raise ValueError(f"expected at least 2 hues, got {self.hues}")
        if not 0 < self.speeds[0] <= self.speeds[1] < np.inf:
            raise ValueError(f"expected a least and a largest speed, both positive, got {self.speeds}")

    @property
    def channels(self) -> Literal[1, 3]:
        """RGB."""
        return 3

    @property
    def walked(self) -> tuple[WorldFactor, ...]:
        """x, y, shape, hue and size."""
        low, high = SIZES
        return (
            WorldFactor(name="x", low=high, high=1 - high, changing=True),
            WorldFactor(name="y", low=high, high=1 - high),
            WorldFactor(name="shape", low=0, high=len(SHAPES) - 1, continuous=False),
            WorldFactor(name="hue", low=0, high=self.hues - 1, continuous=False),
            WorldFactor(name="size", low=low, high=high),
        )

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The object's way."""
        return (FactorGroup(name="object", factors=(0,), most_latents=2),)

    @property
    def identity(self) -> tuple[int, ...]:
        """Columns that say what the object is, as against where."""
        return (2, 3, 4)

    def visible(self, factors: np.ndarray) -> np.ndarray:
        """Share of the object's pixels that are not behind the bar, shape `[B]`."""
        object_ = self._object(factors)
        seen = object_ * (1 - self._bar())
        share: np.ndarray = seen.sum(axis=(1, 2), dtype=np.float64) / object_.sum(axis=(1, 2), dtype=np.float64)
        return share

    def start(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The object somewhere beside the bar, on either side, all of it in view."""
        largest = SIZES[1]
        size = self.describe(shares)[:, 4]
        room = 0.5 - OCCLUDER - size - 0.5 / self.canvas - largest
        near_edge = shares[:, 0] * np.maximum(room, 0) / (1 - 2 * largest)
        moved = shares.copy()
        moved[:, 0] = np.where(rng.random(len(shares)) < 0.5, near_edge, 1 - near_edge)
        return moved

    def moves(self, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """As far in every step, to one side; `walk` turns around at the ends."""
        moves = np.zeros((count, steps, len(self.walked)))
        speed = rng.uniform(*self.speeds, size=count) / (1 - 2 * SIZES[1])
        moves[..., 0] = (speed * rng.choice([-1, 1], size=count))[:, None]
        return moves

    def paint(self, factors: np.ndarray) -> np.ndarray:
        """The object in its colour, then the bar in front."""
        hue = (colours(self.hues).astype(np.float32) / 255)[factors[:, 3].astype(np.int64)]
        painted = self._object(factors)[:, None] * hue[:, :, None, None]
        return lay_over(painted, OCCLUDER_BRIGHTNESS, self._bar()[:, None])

    def _object(self, factors: np.ndarray) -> np.ndarray:
        """Covered share of each pixel, `[B, S, S]`, as if there were no bar."""
        u, v = pixels(self.canvas)
        covered = np.empty((len(factors), self.canvas, self.canvas), np.float32)
        for number, (_, distance, radius) in enumerate(SHAPES):
            rows = factors[:, 2] == number
            x, y, size = (column(factors[rows, k]) for k in (0, 1, 4))
            outside = distance(u - (x - np.float32(0.5)), v - (y - np.float32(0.5)), size * np.float32(radius))
            covered[rows] = cover(outside, self.canvas)
        return covered

    def _bar(self) -> np.ndarray:
        """Covered share of each pixel, `[1, S, S]`."""
        u, v = pixels(self.canvas)
        return cover(np.abs(u) - np.float32(OCCLUDER) + 0 * v, self.canvas)
