"""Pursuit: the goal of each of N levels, how far it is, and whether it was reached or time is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.imagination.configurations import KEPT


class Pursuits:
    """Goals under pursuit; a level without one is paid nothing.

        d(z) = sqrt( Σ_n w_n (z_n - z*_n)² ),   Σ_n w_n σ_n² = 1 over the latents that matter to the goal,   Φ = -d

    σ is the spread of a latent where it varies most. Metric and radius stay what they were when the goal was chosen, so
    that what is paid along one pursuit adds up.

    Args:
        levels: N.
        latents: D.
    """

    def __init__(self, levels: int, latents: int) -> None:
        self.active = np.zeros(levels, dtype=bool)
        """Whether there is a goal."""
        self.codes = np.zeros((levels, latents), dtype=np.float32)
        """z*, `[N, D]`."""
        self.weights = np.zeros((levels, latents))
        """w, `[N, D]`."""
        self.near = np.zeros((levels, latents))
        """How close counts as there, for each latent by itself, `[N, D]`."""
        self.kinds = np.zeros(levels, dtype=np.int64)
        self.bases = np.zeros(levels, dtype=np.int64)
        self.donors = np.full((levels, latents), KEPT, dtype=np.int64)
        self.sources = np.zeros(levels, dtype=np.int64)
        self.steps = np.zeros(levels, dtype=np.int64)
        """Since the goal was chosen."""
        self.tried = np.zeros((levels, latents), dtype=bool)
        """Latents that were replaced and did not stand at their value to begin with."""
        self.came = np.zeros((levels, latents), dtype=bool)
        """Those of them that came to their value since."""

    @property
    def radius(self) -> np.ndarray:
        """Distance within which a goal is reached, `[N]`: where each latent is `near` off at most, in the mean."""
        within: np.ndarray = np.sqrt((self.weights * self.near**2).sum(axis=1))
        return within

    def gap(self, codes: np.ndarray) -> np.ndarray:
        """What each level's code lacks of its goal, √w (z* - z), float32 `[N, D]`: as long as the goal is far."""
        lacking = np.sqrt(self.weights) * (self.codes - codes.astype(np.float64)) * self.active[:, None]
        return np.asarray(lacking, dtype=np.float32)

    def distance(self, codes: np.ndarray) -> np.ndarray:
        """How far each level's code is from its goal, `[N]`; 0 without one."""
        squares = (codes.astype(np.float64) - self.codes) ** 2
        distance: np.ndarray = np.sqrt((self.weights * squares).sum(axis=1)) * self.active
        return distance

    def follow(self, codes: np.ndarray) -> None:
        """A step was made to these codes, `[N, D]`."""
        self.steps += self.active
        self.came |= self.tried & (np.abs(codes - self.codes) <= self.near) & self.active[:, None]

    def start(self, level: int, *, code: np.ndarray, weights: np.ndarray, near: np.ndarray, here: np.ndarray) -> None:
        """Give a level a goal, from where it stands; kind and recipe are set beside."""
        self.active[level], self.steps[level] = True, 0
        self.codes[level], self.weights[level], self.near[level] = code, weights, near
        self.tried[level] = (self.donors[level] != KEPT) & (np.abs(here - code) > near)
        self.came[level] = False

    def stop(self, level: int) -> None:
        """Leave a level without a goal."""
        self.active[level] = False

    def stop_all(self) -> None:
        """Leave all levels without one."""
        self.active[:] = False

    def state_dict(self) -> dict[str, Any]:
        """Copies of all its arrays."""
        return {name: values.copy() for name, values in vars(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the goals of as many levels."""
        for name in vars(self):
            setattr(self, name, np.array(state[name]))


def metric(spread: np.ndarray, *, replaced: np.ndarray, kept: np.ndarray, kept_weight: float) -> np.ndarray:
    """Weights w of goals: mean squares in units of spread, of the replaced latents and, with less weight, of the kept.

        d² = ( mean_R (Δ_n / σ_n)² + k · mean_K (Δ_n / σ_n)² ) / (1 + k),   so that w_n = 1 / (|R| σ_n² (1 + k)) in R

    Args:
        spread: σ, positive, `[D]`.
        replaced: R, bool `[P, D]`, at least one in each row.
        kept: K, latents that count but were not replaced, bool `[P, D]`; where it is empty k counts as 0.
        kept_weight: k, at least 0.

    Returns:
        `[P, D]`.
    """
    kept_each = kept_weight * kept / np.maximum(kept.sum(axis=1, keepdims=True), 1)
    value = replaced / replaced.sum(axis=1, keepdims=True) + kept_each
    weights: np.ndarray = value / (spread**2 * value.sum(axis=1, keepdims=True))
    return weights
