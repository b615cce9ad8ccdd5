"""Choosing each bonus's weight, by one rule and on other seeds than are reported on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell

MERIT = "coverage_area"
"""What a weight is worth on a seed: the area under the curve of coverage, in [0, 1]."""


def chosen_weight(cells: Sequence[Cell]) -> float:
    """The weight of the greatest mean merit over its seeds; of equals the smallest.

    Args:
        cells: of one arm, a weight and a seed each; every weight has the same seeds.

    Raises:
        ValueError: there are no cells, or weights were tried on different seeds.
    """
    merits: dict[float, dict[int, float]] = {}
    for cell in cells:
        merit = cell.figures[MERIT]
        assert merit is not None  # of every run
        merits.setdefault(float(cell.settings["weight"]), {})[cell.seed] = merit
    if not merits or len({frozenset(seeds) for seeds in merits.values()}) > 1:
        raise ValueError(
            f"expected the same seeds for every weight, got { ({w: sorted(s) for w, s in merits.items()}) }; "
            "run the missing cells"
        )
    return max(sorted(merits), key=lambda weight: float(np.mean(list(merits[weight].values()))))
