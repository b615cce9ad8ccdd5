"""Rows of a summary out of cells: a figure over the seeds of an arm, and comparisons of two arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval

RESAMPLED = 10_000
"""Times seeds are drawn again for the interval of a comparison."""


def seeds_of(cells: Sequence[Cell], arm: str, figure: str, *, scale: float = 1.0) -> np.ndarray:
    """A figure of an arm, one value a seed in the order of the seeds, shape `[n]`; empty if it was not run."""
    chosen = sorted((cell for cell in cells if cell.arm == arm), key=lambda cell: cell.seed)
    return np.array([scale * float(cell.figures[figure]) for cell in chosen if cell.figures.get(figure) is not None])  # type: ignore[arg-type]  # None was filtered


def interval(values: np.ndarray, *, seed: int = 0) -> Estimate:
    """Mean over seeds with a 95% bootstrap interval; exact where there is one seed."""
    if len(values) == 1:
        return Estimate.exact(float(values[0]))
    return bootstrap_interval(values, rng=np.random.default_rng(seed))


def row(id: str, values: np.ndarray, *, unit: str = "", goal: str | None = None, note: str = "") -> Row:
    """A figure over seeds; one that was not measured if there are none."""
    if not len(values):
        return Row.not_measured(id, why="these cells have not been run yet", unit=unit, goal=goal)
    return Row.of(id, interval(values), unit=unit, goal=goal, note=note)


def difference(
    id: str, ours: np.ndarray, theirs: np.ndarray, *, unit: str = "", goal: str | None = None, note: str = ""
) -> Row:
    """Mean of ours less mean of theirs; see `compare`."""
    told = f"difference of means over {len(ours)} and {len(theirs)} seeds, resampled apart"
    told = f"{note}; {told}" if note else told
    return compare(id, ours, theirs, lambda a, b: a - b, unit=unit, goal=goal, note=told)


def compare(
    id: str,
    first: np.ndarray,
    second: np.ndarray,
    of_means: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    unit: str = "",
    goal: str | None = None,
    note: str = "",
) -> Row:
    """A figure made of two means, with a 95% interval over resampled seeds of both; not measured if either is not."""
    if not len(first) or not len(second):
        return Row.not_measured(id, why="these cells have not been run yet", unit=unit, goal=goal)
    rng = np.random.default_rng(0)
    resampled = [
        values[rng.integers(0, len(values), (RESAMPLED, len(values)))].mean(axis=1) for values in (first, second)
    ]
    value = float(of_means(np.array(first.mean()), np.array(second.mean())))
    count = min(len(first), len(second))
    if count == 1:
        return Row.of(id, Estimate.exact(value), unit=unit, goal=goal, note=note)
    low, high = np.percentile(of_means(*resampled), (2.5, 97.5))
    return Row(id=id, mean=value, low=float(low), high=float(high), n=count, unit=unit, goal=goal, note=note)


def row_id(words: str) -> str:
    """Words as the id of a row: small letters, digits and underscores."""
    return "".join(letter if letter.isalnum() else "_" for letter in words.lower())
