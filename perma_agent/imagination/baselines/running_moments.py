"""Running moments: mean and variance of all that was ever seen, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class RunningMoments:
    """Mean and population variance of everything that `update` was given.

    For a batch of n values with mean m and variance v, after N values of mean M and variance V:

        M' = M + (m - M) n / (N + n),   V' = ( N V + n v + (m - M)² N n / (N + n) ) / (N + n)

    Unlike SB3's and Baselines' it begins with no value at all instead of 1e-4 of one, so it is exact from the first
    batch on; before that the mean is 0 and the variance 1.

    Args:
        shape: of one value.

    Reference:
        Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances (1979).
    """

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.mean = np.zeros(shape, dtype=np.float64)
        self.variance = np.ones(shape, dtype=np.float64)
        self.count = 0

    def update(self, batch: np.ndarray) -> None:
        """Take more values in.

        Args:
            batch: shape `[n, *shape]`, finite.

        Raises:
            ValueError: the values are of another shape.
        """
        if batch.shape[1:] != self.mean.shape:
            raise ValueError(f"expected values of shape {['n', *self.mean.shape]}, got {list(batch.shape)}")
        added = len(batch)
        if added == 0:
            return
        mean = batch.mean(axis=0, dtype=np.float64)
        variance = np.square(batch - mean).mean(axis=0)
        total = self.count + added
        apart = mean - self.mean
        kept = self.count / total
        self.variance = self.variance * kept + (variance + np.square(apart) * kept) * (added / total)
        self.mean = self.mean + apart * (added / total)
        self.count = total

    @property
    def deviation(self) -> np.ndarray:
        """Square root of the variance."""
        root: np.ndarray = np.sqrt(self.variance)
        return root

    def state_dict(self) -> dict[str, Any]:
        """All three."""
        return {"mean": self.mean.copy(), "variance": self.variance.copy(), "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            ValueError: it is of values of another shape.
        """
        mean, variance = (np.asarray(state[name], dtype=np.float64) for name in ("mean", "variance"))
        if mean.shape != self.mean.shape or variance.shape != self.mean.shape:
            raise ValueError(f"expected moments of values of shape {self.mean.shape}, got {mean.shape}; make it alike")
        self.mean, self.variance, self.count = mean.copy(), variance.copy(), int(state["count"])
