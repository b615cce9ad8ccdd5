"""Cell names: which mode, level and arm a cell is of, and the cells of one of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.grounds import LEVELS

FREE, SPARSE, SCRATCH, TRANSFER, TUNING = "free", "sparse", "scratch", "transfer", "tune"
"""First part of the names of cells: `free-indoor-maze-rnd`, `tune-indoor-maze-rnd-0.3`."""
MODES = {
    FREE: "reward-free",
    SPARSE: "sparse reward",
    SCRATCH: "reward-free, VASE from scratch",
    TRANSFER: "reward-free, indoors first",
}
"""In words."""


def run_name(mode: str, level: str, arm: str) -> str:
    """Name of a run's cells."""
    return f"{mode}-{level}-{arm}"


def tuning_name(level: str, arm: str, weight: float) -> str:
    """Name of the cells that try a weight."""
    return f"{TUNING}-{level}-{arm}-{weight:g}"


def runs_of(cells: Sequence[Cell], mode: str, level: str) -> dict[str, list[Cell]]:
    """Cells of each arm that was run in a mode on a level, in the order of `ARMS` and of the seeds."""
    found = {}
    for arm in ARMS:
        name = run_name(mode, level, arm)
        if chosen := sorted((cell for cell in cells if cell.arm == name), key=lambda cell: cell.seed):
            found[arm] = chosen
    return found


def levels_of(cells: Sequence[Cell], mode: str) -> list[str]:
    """Levels that there are runs of in a mode, in the order of `LEVELS`."""
    return [level for level in LEVELS if runs_of(cells, mode, level)]


def values_of(cells: Sequence[Cell], figure: str) -> np.ndarray:
    """A figure over cells, those that lack it left out, float64, shape `[n]`."""
    return np.array([value for cell in cells if (value := cell.figures.get(figure)) is not None], dtype=np.float64)
