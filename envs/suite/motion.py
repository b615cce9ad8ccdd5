"""How the agent moves: a circle that slides along walls and round corners instead of sticking to them."""

from __future__ import annotations

import numpy as np

SUBSTEPS = 2
"""A step is walked in so many parts, each shorter than the agent's radius: no wall can be jumped."""
_PUSHES = 4
_SKIN = 1e-3


def slide(position: np.ndarray, shift: np.ndarray, *, segments: np.ndarray, radius: float) -> np.ndarray:
    """Where a circle comes to that wants to move by `shift`.

    Each part of the step goes straight; where the circle then overlaps a wall it is pushed out, square to the wall or
    away from the corner, and where there is no room for that (a wedge) it stays.

    Args:
        position: x and z of its middle, metres, shape `[2]`, at least `radius` from every wall.
        shift: metres along x and z, shape `[2]`, no longer than `SUBSTEPS` radii.
        segments: walls, shape `[M, 2, 2]`.
        radius: of the circle, metres.

    Returns:
        Its new middle, shape `[2]`, again at least `radius` from every wall.
    """
    for _ in range(SUBSTEPS):
        wanted = position + shift / SUBSTEPS
        for _ in range(_PUSHES):
            gap, away = _nearest(wanted, segments)
            if gap >= radius:
                position = wanted
                break
            wanted = wanted + away * (radius + _SKIN - gap)
        else:
            return position
    return position


def _nearest(point: np.ndarray, segments: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance to the nearest wall, and the unit vector from there to the point."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    length = np.maximum((along * along).sum(1), 1e-12)
    where = np.clip(((point - start) * along).sum(1) / length, 0.0, 1.0)
    offset = point - start - where[:, None] * along
    squared = (offset * offset).sum(1)
    index = int(squared.argmin())
    gap = float(np.sqrt(squared[index]))
    return gap, offset[index] / max(gap, 1e-9)
