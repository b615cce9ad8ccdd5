"""One rule for ground-truth factors that are not there, or not of one shape, at every frame: NaN fills the gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def merge_factors(
    groups: Sequence[tuple[np.ndarray, Mapping[str, np.ndarray]]], *, total: int
) -> dict[str, np.ndarray]:
    """Factors of `total` rows from those of groups of rows, NaN where a row has none.

    Args:
        groups: places of some rows among all, and their factors. Axes are made as long as the longest and as many as
            the most: a number goes where an array's first would be.
        total: all rows.
    """
    merged: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(name for _, factors in groups for name in factors):
        parts = [(places, factors[name]) for places, factors in groups if name in factors]
        axes = max(values.ndim for _, values in parts)
        parts = [(places, values.reshape(values.shape + (1,) * (axes - values.ndim))) for places, values in parts]
        longest = np.max([values.shape[1:] for _, values in parts], axis=0, initial=0)
        merged[name] = np.full((total, *longest.astype(int)), np.nan, np.float32)
        for places, values in parts:
            merged[name][np.ix_(places, *map(np.arange, values.shape[1:]))] = values
    return merged
