"""Choosing each arm's weight, by one rule and on other seeds than are reported on."""

from __future__ import annotations

from collections.abc import Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.weight_choice import best_weight


def merit(cell: Cell) -> float:
    """What a weight is worth on a seed: (DCI + MCC) / 2, the two figures that the study leads with; in [0, 1]."""
    return 0.5 * (_figure(cell, "dci_forest") + _figure(cell, "mcc"))


def chosen_weight(cells: Sequence[Cell]) -> float:
    """The weight of the greatest mean merit, see `best_weight`; cells of one arm, a weight and a seed each."""
    return best_weight((_figure(cell, "weight"), cell.seed, merit(cell)) for cell in cells)


def _figure(cell: Cell, name: str) -> float:
    value = cell.figures[name]
    assert value is not None  # of every cell
    return value
