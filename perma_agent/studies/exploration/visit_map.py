"""Visit map: where an agent went and when it came there first, as short texts in a cell, and read back from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.coverage import NEVER, Coverage
from perma_agent.evaluation.reachable import Ground
from perma_agent.studies.exploration.grounds import Surveyed

DIGITS = 3
"""Of metres: a millimetre."""


@dataclass(frozen=True, kw_only=True)
class VisitMap:
    """A run seen from above."""

    ground: Ground
    """What can be reached; distances to walk are not kept, they read 0."""
    covered: Coverage
    """Of its cells."""
    start: tuple[float, float]
    """x and z, metres."""
    goal: tuple[float, float]
    """x and z, metres."""


def to_series(surveyed: Surveyed, covered: Coverage) -> dict[str, Any]:
    """What a cell keeps of a run's map: numbers of a grid as one text each, or a cell would be thousands of lines."""
    ground = surveyed.ground
    return {
        "corner": list(ground.corner),
        "cell": ground.cell,
        "shape": list(ground.walks.shape),
        "reachable": _text(np.flatnonzero(ground.reachable)),
        "first": _text(covered.first),
        "visits": _text(covered.visits),
        "total": covered.total,
        "walls": " ".join(f"{number:.{DIGITS}f}" for number in ground.walls.ravel()),
        "start": list(surveyed.start),
        "goal": list(surveyed.goal),
    }


def read_map(cell: Cell) -> VisitMap:
    """The map of a cell.

    Raises:
        ValueError: the cell holds none, or a damaged one.
    """
    kept: Mapping[str, Any] = cell.series
    try:
        shape = tuple(int(side) for side in kept["shape"])
        walks = np.full(int(np.prod(shape)), np.inf)
        walks[_numbers(kept["reachable"])] = 0.0
        x, z = (float(number) for number in kept["corner"])
        return VisitMap(
            ground=Ground(
                corner=(x, z),
                cell=float(kept["cell"]),
                walks=walks.reshape(shape),
                walls=np.array([float(number) for number in kept["walls"].split()]).reshape(-1, 2, 2),
            ),
            covered=Coverage(first=_numbers(kept["first"]), visits=_numbers(kept["visits"]), total=int(kept["total"])),
            start=(float(kept["start"][0]), float(kept["start"][1])),
            goal=(float(kept["goal"][0]), float(kept["goal"][1])),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected a map of visits in the cell {cell.arm}_{cell.seed}, got {error!r}; delete it and run it again"
        ) from error


def has_map(cell: Cell) -> bool:
    """Whether a cell tells of a run through a level."""
    return {"first", "reachable", "walls"} <= set(cell.series)


def _text(numbers: np.ndarray) -> str:
    """Whole numbers with spaces between; `NEVER` as a hyphen."""
    return " ".join("-" if number == NEVER else str(number) for number in numbers.tolist())


def _numbers(text: str) -> np.ndarray:
    return np.array([NEVER if part == "-" else int(part) for part in text.split()], dtype=np.int64)
