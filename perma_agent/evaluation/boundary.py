"""Boundary: where, and how sharply, a curve of probabilities rises as one thing turns into another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """Where, and how sharply, a curve rises as one world turns into the other."""

    centre: float
    """Weight at which the curve reaches ½; NaN where it begins above or never does."""
    width: float
    """Weight from where it reaches 0.1 to where it reaches 0.9, NaN where it does not do both. A curve as smooth as the
    mixture itself has 0.8."""


def boundary(weights: np.ndarray, curve: np.ndarray) -> Boundary:
    """Where a curve over weights first reaches 0.1, ½ and 0.9, interpolated linearly between weights.

    Args:
        weights: rising, shape `[W]`.
        curve: in [0, 1], shape `[W]`; it need not rise all the way, nor evenly.
    """
    low, middle, high = (_reaches(level, weights, curve) for level in (0.1, 0.5, 0.9))
    return Boundary(centre=middle, width=high - low)


def usual_boundary(weights: np.ndarray, curves: np.ndarray) -> Boundary:
    """Medians of the centres and of the widths of several curves, `[N, W]`, leaving out those that have none."""
    found = [boundary(weights, curve) for curve in curves]
    return Boundary(centre=_median([one.centre for one in found]), width=_median([one.width for one in found]))


def _reaches(level: float, weights: np.ndarray, curve: np.ndarray) -> float:
    above = np.flatnonzero(curve >= level)
    if not len(above) or curve[0] > level:
        return float("nan")
    place = int(above[0])
    if place == 0:
        return float(weights[0])
    share = (level - curve[place - 1]) / (curve[place] - curve[place - 1])
    return float(weights[place - 1] + share * (weights[place] - weights[place - 1]))


def _median(values: list[float]) -> float:
    there = [value for value in values if np.isfinite(value)]
    return float(np.median(there)) if there else float("nan")
