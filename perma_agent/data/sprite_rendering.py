"""How sprites look: anti-aliased masks of three shapes of equal area, rendered once and pasted where they stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

RADIUS = 0.2
"""Radius of the circle around the largest sprite, relative to the canvas."""
SMALLEST_SCALE = 0.5
"""Scale of the smallest sprites, as in dSprites; the largest has 1."""
SAMPLES = 8
"""Points along each side of a pixel at which a shape is sampled: 64 a pixel."""
PHASES = 4
"""Places between two pixels at which sprites may stand: positions are multiples of a quarter of a pixel."""

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    inside: np.ndarray = np.maximum(np.abs(u), np.abs(v)) <= math.sqrt(0.5)
    return inside


def _ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The long axis lies along u; the short one is as long as makes the area 2."""
    return u**2 + (v * (math.pi / 2)) ** 2 <= 1


def _heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(x² + y² − 1)³ ≤ x² y³, moved and shrunk into the unit circle."""
    x, y = 1.35 * u, 1.35 * v + 0.1
    square = x**2
    return (square + y**2 - 1) ** 3 <= square * y**3


SHAPES: tuple[tuple[str, Shape], ...] = (("square", _square), ("ellipse", _ellipse), ("heart", _heart))
"""Name of each shape, and whether a point is in it: within the unit circle, v upwards, of area 2 (the heart: 2.01)."""


def window_side(canvas: int) -> int:
    """Side in pixels of the masks on a canvas: room for the largest sprite and its place between two pixels."""
    return 2 * math.ceil(RADIUS * canvas) + 1


def scales(count: int) -> np.ndarray:
    """Sizes relative to the largest, float64, evenly spaced and rising to 1."""
    return np.linspace(SMALLEST_SCALE, 1.0, count) if count > 1 else np.ones(1)


def angles(count: int) -> np.ndarray:
    """Rotations in radians, counter-clockwise, float64, evenly spaced over [0°, 90°)."""
    return np.arange(count) * (math.pi / 2 / count)


def places(count: int, canvas: int) -> np.ndarray:
    """Distances from a canvas's edge to a mask's in quarters of a pixel, int64, evenly spaced about the middle.

    Raises:
        ValueError: so many places would lie closer than a quarter of a pixel.
    """
    room = PHASES * (canvas - window_side(canvas) + 1) - 1
    step = room // (count - 1) if count > 1 else 0
    if count > 1 and step < 1:
        raise ValueError(f"expected at most {room + 1} positions on a canvas of {canvas} pixels, got {count}")
    return (room + 1 - step * (count - 1)) // 2 + step * np.arange(count)


def colours(count: int) -> np.ndarray:
    """Bright, saturated hues, uint8, shape `[count, 3]` (RGB), evenly spaced around the circle from red."""
    sixths = np.arange(count)[:, None] * (6 / count)
    distance = np.abs((sixths + np.array([0.0, 4.0, 2.0])) % 6 - 3)  # 3 where the channel is at its brightest
    rgb: np.ndarray = np.rint(255 * np.clip(distance - 1, 0, 1))
    return rgb.astype(np.uint8)


def render_masks(
    *,
    shapes: Sequence[int],
    sizes: np.ndarray,
    rotations: np.ndarray,
    phases_y: np.ndarray,
    phases_x: np.ndarray,
    canvas: int,
) -> np.ndarray:
    """Every mask that combinations of these values need.

    Args:
        shapes: numbers of shapes.
        sizes: relative to the largest.
        rotations: in radians.
        phases_y: distances from the pixel above, in quarters of a pixel.
        phases_x: distances from the pixel on the left, in quarters of a pixel.
        canvas: side of the frames in pixels.

    Returns:
        Covered share of each pixel in 255ths, uint8, shape
        `[shapes, sizes, rotations, phases_y, phases_x, side, side]`.
    """
    side = window_side(canvas)
    masks = np.empty(
        (len(shapes), len(sizes), len(rotations), len(phases_y), len(phases_x), side, side), dtype=np.uint8
    )
    points = (np.arange(side * SAMPLES) + 0.5) / SAMPLES - math.ceil(RADIUS * canvas)
    cos, sin = (f(rotations).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    for (a, shape), (b, size), (c, below), (d, right) in product(
        enumerate(shapes), enumerate(sizes), enumerate(phases_y), enumerate(phases_x)
    ):
        x, y = (((points - phase / PHASES) / (size * RADIUS * canvas)).astype(np.float32) for phase in (right, below))
        x, y = x[None, None, :], -y[None, :, None]  # v points upwards, rows go downwards
        inside = SHAPES[shape][1](x * cos + y * sin, y * cos - x * sin)
        covered = inside.reshape(len(rotations), side, SAMPLES, side, SAMPLES).mean(axis=(2, 4), dtype=np.float32)
        masks[a, b, :, c, d] = np.rint(255 * covered)
    return masks
