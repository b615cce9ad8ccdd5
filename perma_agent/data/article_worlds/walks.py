"""Random walks that keep a uniform factor uniform: steps are symmetric, and a walk turns around at the ends."""

from __future__ import annotations

import numpy as np


def reflect(walk: np.ndarray) -> np.ndarray:
    """Fold the real line into [0, 1], as between two mirrors: 1.2 becomes 0.8, and so do -0.8 and 2.8."""
    folded: np.ndarray = 1 - np.abs(walk % 2 - 1)
    return folded


def wrap(walk: np.ndarray) -> np.ndarray:
    """Wind the real line around a circle of circumference 1: 1.2 becomes 0.2."""
    wound: np.ndarray = walk % 1.0
    return wound


def laplace_steps(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
    """Steps of a Laplace law: most are short, a few long, as those of eyes are.

        p(d) = exp(-|d| / scale) / (2 scale)

    Symmetric, so that a reflected walk that starts uniform in [0, 1] is uniform at every step.

    Args:
        shape: of what is returned.
        scale: mean length, as a share of the factor's range.
        rng: all randomness comes from here.
    """
    return rng.laplace(scale=scale, size=shape)


def one_mover(shape: tuple[int, int], objects: int, *, together: float, rng: np.random.Generator) -> np.ndarray:
    """Which objects move in each step: one, drawn at random, or now and then all.

    Args:
        shape: (B, steps).
        objects: how many there are.
        together: chance that all move.
        rng: all randomness comes from here.

    Returns:
        bool, shape `[B, steps, objects]`.
    """
    mover = rng.integers(objects, size=shape)[..., None] == np.arange(objects)
    everyone = rng.random(shape)[..., None] < together
    moving: np.ndarray = mover | everyone
    return moving
