"""Layout: what stops an agent on a level's plane and what it touches there, for those who judge where it went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A level's plane at one frame, in the metres of the factors x and z."""

    walls: np.ndarray
    """Segments that the agent cannot cross, x and z of both ends, float64, shape `[M, 2, 2]`."""
    radius: float
    """Of the agent, metres."""
    touched: np.ndarray
    """Objects: x and z of the middle, and the distance from there at which the agent touches it; float64, shape
    `[K, 3]`."""
