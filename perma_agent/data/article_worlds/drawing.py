"""Shapes on pixels: how far each pixel's middle lies outside of a shape, and how much of the pixel it then covers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Distance of points (u, v) from the edge of a shape of radius r around (0, 0), negative inside."""


def pixels(canvas: int) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the pixels in view sides, 0 the middle of the view: u to the right `[1, 1, S]`, v down `[1, S, 1]`."""
    at = ((np.arange(canvas, dtype=np.float32) + 0.5) / canvas - 0.5).astype(np.float32)
    return at[None, None, :], at[None, :, None]


def column(values: np.ndarray) -> np.ndarray:
    """One number a frame `[B]` as float32 `[B, 1, 1]`."""
    shaped: np.ndarray = values.astype(np.float32)[:, None, None]
    return shaped


def disc(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
    """A circle of radius r."""
    distance: np.ndarray = np.sqrt(u * u + v * v) - r
    return distance


def square(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
    """An upright square of half side r."""
    distance: np.ndarray = np.maximum(np.abs(u), np.abs(v)) - r
    return distance


def diamond(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
    """A square on its corner, r from the middle to each."""
    distance: np.ndarray = (np.abs(u) + np.abs(v) - r) * np.float32(np.sqrt(0.5))
    return distance


def cover(distance: np.ndarray, canvas: int) -> np.ndarray:
    """Share of each pixel that lies inside a shape, as if its edge were straight and upright there.

        cover = clip( 1/2 - distance · S, 0, 1 )

    Args:
        distance: from the edge, in view sides, float32.
        canvas: S, pixels per view side.
    """
    covered: np.ndarray = np.clip(np.float32(0.5) - distance * np.float32(canvas), 0, 1)
    return covered


def lay_over(below: np.ndarray | float, brightness: np.ndarray | float, covered: np.ndarray) -> np.ndarray:
    """Paint a shape of one brightness over what is there."""
    ground = np.asarray(below, np.float32)
    mixed: np.ndarray = ground + covered * (np.asarray(brightness, np.float32) - ground)
    return mixed
