"""A landscape of four factors, to be looked at from wherever and however: ground, sky, a disc and a dark square."""

from __future__ import annotations

import numpy as np

from perma_agent.data.article_worlds.drawing import column, cover, disc, lay_over, square
from perma_agent.data.article_worlds.world import WorldFactor

SKY = 0.35
"""Brightness of the sky."""
HORIZON = 0.04
"""Where the ground begins, in view sides below the middle."""
DISC_HEIGHT = -0.12
"""Of the disc's middle, in view sides below the middle of the scene."""
SQUARE_HEIGHT = 0.10
"""Of the square's middle, likewise."""

CONTENT: tuple[WorldFactor, ...] = (
    WorldFactor(name="disc size", low=0.08, high=0.16),
    WorldFactor(name="square size", low=0.07, high=0.14),
    WorldFactor(name="gap", low=0.30, high=0.52),
    WorldFactor(name="ground", low=0.45, high=0.80),
)
"""What the scene consists of: radius of the disc, half side of the square and the way from one's middle to the other's,
in view sides; brightness of the ground. None of them changes while one looks."""


def paint_scene(content: np.ndarray, u: np.ndarray, v: np.ndarray, canvas: int) -> np.ndarray:
    """The scene at given points; it goes on forever, so that every gaze is filled.

    Args:
        content: values of `CONTENT`, shape `[B, 4]`.
        u: of each pixel in the scene, in view sides to the right, float32, broadcasts to `[B, S, S]`.
        v: downward, likewise.
        canvas: S, pixels per view side.

    Returns:
        Brightness in [0, 1], float32, shape `[B, S, S]`.
    """
    disc_size, square_size, gap, ground = (column(values) for values in content.T)
    painted = lay_over(SKY, ground, cover(np.float32(HORIZON) - v, canvas))
    in_disc = disc(u + gap / 2, v - np.float32(DISC_HEIGHT), disc_size)
    painted = lay_over(painted, 1.0, cover(in_disc, canvas))
    in_square = square(u - gap / 2, v - np.float32(SQUARE_HEIGHT), square_size)
    return lay_over(painted, 0.0, cover(in_square, canvas))
