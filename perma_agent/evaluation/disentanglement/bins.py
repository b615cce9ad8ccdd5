"""Equal-width bins of columns, and which columns vary enough to have any."""

from __future__ import annotations

import numpy as np

RESOLUTION = 1e-12
"""Spread of a column, relative to its largest value, up to which it is constant: its bins could not be told apart."""


def varies(values: np.ndarray) -> np.ndarray:
    """Which columns are more than a constant and rounding.

    Args:
        values: finite, shape `[N, M]`.

    Returns:
        Bool, shape `[M]`.
    """
    moved: np.ndarray = np.ptp(values, axis=0) > RESOLUTION * np.abs(values).max(axis=0)
    return moved


def discretise(values: np.ndarray, bins: int) -> np.ndarray:
    """Columns in equal-width bins from their least to their largest value.

        bin(x) = number of the edges e_0 … e_{bins-1} that are <= x,  e_i = min + i (max - min) / bins

    Args:
        values: finite, shape `[N, M]`.
        bins: per column, at least 1.

    Returns:
        Integers from 1 to `bins`, shape `[N, M]`; a bin holds its lower edge, the last one its upper edge too. A
        constant column is 1 throughout.

    Reference:
        disentanglement_lib, `utils._histogram_discretize`: `np.digitize(x, np.histogram(x, bins)[1][:-1])`.

    Example:
        >>> discretise(np.array([[0.0], [0.4], [0.5], [1.0]]), 2).ravel()
        array([1, 1, 2, 2])
    """
    values = np.asarray(values, dtype=np.float64)
    binned = np.ones(values.shape, dtype=np.int64)
    for m in np.flatnonzero(varies(values)):
        binned[:, m] = np.digitize(values[:, m], np.histogram_bin_edges(values[:, m], bins)[:-1])
    return binned
