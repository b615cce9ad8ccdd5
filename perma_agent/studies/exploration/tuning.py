"""Choosing each bonus's weight, by one rule and on other seeds than are reported on."""

from __future__ import annotations

from collections.abc import Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.weight_choice import best_weight

MERIT = "coverage_area"
"""What a weight is worth on a seed: the area under the curve of coverage, in [0, 1]."""


def chosen_weight(cells: Sequence[Cell]) -> float:
    """The weight of the greatest mean merit, see `best_weight`; cells of one arm, a weight and a seed each."""
    return best_weight((float(cell.settings["weight"]), cell.seed, _merit(cell)) for cell in cells)


def _merit(cell: Cell) -> float:
    merit = cell.figures[MERIT]
    assert merit is not None  # of every run
    return merit
