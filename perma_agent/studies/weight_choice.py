"""Choosing a weight by one rule for all arms, on other seeds than are reported on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def best_weight(tried: Iterable[tuple[float, int, float]]) -> float:
    """The weight of the greatest mean merit over its seeds; of equals the smallest.

    Args:
        tried: weight, seed and merit (more is better) of each try of one arm; every weight has the same seeds.

    Raises:
        ValueError: nothing was tried, or weights were tried on different seeds.
    """
    merits: dict[float, dict[int, float]] = {}
    for weight, seed, merit in tried:
        merits.setdefault(weight, {})[seed] = merit
    if not merits or len({frozenset(seeds) for seeds in merits.values()}) > 1:
        raise ValueError(
            f"expected the same seeds for every weight, got { ({w: sorted(s) for w, s in merits.items()}) }; "
            "run the missing cells"
        )
    return max(sorted(merits), key=lambda weight: float(np.mean(list(merits[weight].values()))))
