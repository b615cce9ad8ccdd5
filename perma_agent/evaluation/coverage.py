"""Coverage: how much of a level an agent has met, when it first did, and how many combinations of its factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.reachable import Ground

NEVER = -1
"""In place of the step of a first visit."""
OCTANTS = 8
"""Headings that are told apart: each takes in 45°, the first one centred on 0."""
NEAR = (1.0, 3.0)
"""Metres straight ahead at which what stands there counts as close, at hand, or far."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """When each of R things, such as cells, was first met in `total` steps, and how often."""

    first: np.ndarray
    """Steps taken when it was first met, `NEVER` where it was not; int64, shape `[R]`."""
    visits: np.ndarray
    """Steps after which it was met, int64, shape `[R]`."""
    total: int
    """Steps of the run, over all copies of the level."""

    def __post_init__(self) -> None:
        if self.first.shape != self.visits.shape or self.first.ndim != 1 or not len(self.first) or self.total < 1:
            raise ValueError(
                f"expected first and visits of one shape [R] and a step, got {self.first.shape}, {self.visits.shape} "
                f"and {self.total} steps"
            )
        if ((self.first == NEVER) != (self.visits == 0)).any() or self.first.max() > self.total:
            raise ValueError("expected a first visit, no later than the last step, exactly of what was visited")

    @property
    def share(self) -> float:
        """Of the R things, those that were met, in [0, 1]."""
        return float((self.first != NEVER).mean())

    @property
    def area(self) -> float:
        """Area under the curve of coverage over steps, as a share of `total`, in [0, share].

            A = 1/T ∫₀ᵀ c(t) dt = 1/R Σᵢ (1 - fᵢ/T)

        with T = `total` and the step fᵢ at which the i-th was first met; one that was not adds nothing.
        """
        met = self.first[self.first != NEVER]
        return float((1.0 - met / self.total).sum() / len(self.first))

    def curve(self, steps: np.ndarray) -> np.ndarray:
        """Coverage after so many steps, in [0, 1].

        Args:
            steps: shape `[K]`.
        """
        met = np.sort(self.first[self.first != NEVER])
        return np.searchsorted(met, steps, side="right") / len(self.first)

    def reaching(self, share: float) -> int | None:
        """Steps until that share was met; None if it never was."""
        met = np.sort(self.first[self.first != NEVER])
        needed = max(int(np.ceil(share * len(self.first) - 1e-9)), 1)
        return int(met[needed - 1]) if needed <= len(met) else None


def coverage(things: np.ndarray, steps: np.ndarray, *, count: int, total: int) -> Coverage:
    """Coverage of `count` things out of what was met in the order of time.

    Args:
        things: what was met, 0 to `count` - 1; below 0 where it is none of them; integers, shape `[K]`.
        steps: taken by then, from 0 (where an episode begins) to `total`, not descending, shape `[K]`.
        count: R.
        total: steps of the run.

    Raises:
        ValueError: shapes differ, a thing is out of range, or time runs backwards.
    """
    things, steps = np.asarray(things), np.asarray(steps)
    if things.shape != steps.shape or things.ndim != 1 or (len(things) and things.max() >= count):
        raise ValueError(
            f"expected things below {count} and as many steps, got shapes {things.shape} and {steps.shape} and a "
            f"greatest of {things.max(initial=NEVER)}"
        )
    if (np.diff(steps) < 0).any():
        raise ValueError("expected steps that do not descend, got some that do; sort what was met by time")
    known = things >= 0
    found, at = np.unique(things[known], return_index=True)
    first = np.full(count, NEVER, dtype=np.int64)
    first[found] = steps[known][at]
    return Coverage(first=first, visits=np.bincount(things[known], minlength=count).astype(np.int64), total=total)


def cell_coverage(ground: Ground, places: np.ndarray, steps: np.ndarray, *, total: int) -> Coverage:
    """Coverage of the cells that can be reached.

    Args:
        ground: R cells.
        places: x and z of the agent, metres, shape `[K, 2]`.
        steps: taken by then, shape `[K]`.
        total: steps of the run.
    """
    return coverage(ground.cells_of(places), steps, count=ground.count, total=total)


@dataclass(frozen=True, kw_only=True)
class Views:
    """What the agent had before it at K moments."""

    places: np.ndarray
    """x and z of the agent, metres, shape `[K, 2]`."""
    headings: np.ndarray
    """Radians, shape `[K]`."""
    ahead: np.ndarray
    """Metres straight ahead to the first wall or object, shape `[K]`."""
    in_view: np.ndarray
    """Whether an object was in the picture, bool, shape `[K]`."""


def poses(ground: Ground, views: Views) -> np.ndarray:
    """Number of each combination of reachable cell and octant of the heading.

    In every cell that can be reached the agent can turn round, so all R × `OCTANTS` of them can be met.

    Returns:
        0 to R · `OCTANTS` - 1, -1 outside the reachable cells, int64, shape `[K]`.
    """
    cells = ground.cells_of(views.places)
    octants = np.floor(views.headings / (2 * np.pi / OCTANTS) + 0.5).astype(np.int64) % OCTANTS
    return np.where(cells >= 0, cells * OCTANTS + octants, -1)


def combinations(ground: Ground, views: Views) -> np.ndarray:
    """Number of each combination of cell, octant, what is ahead (`NEAR`), and whether an object is in view.

    Not all can be met: of how many, only the level's own sight could tell. So these are counted, not set in proportion.

    Returns:
        0 to R · `OCTANTS` · 6 - 1, -1 outside the reachable cells, int64, shape `[K]`.
    """
    pose = poses(ground, views)
    distance = np.digitize(views.ahead, NEAR)
    seen = (pose * (len(NEAR) + 1) + distance) * 2 + views.in_view.astype(np.int64)
    return np.where(pose >= 0, seen, -1)


def steps_to_first(happened: np.ndarray) -> int | None:
    """Steps of all levels together until something first happened in any of them; None if it never did.

    Args:
        happened: bool, shape `[T, N]`: T steps of N levels side by side.
    """
    rows = np.flatnonzero(np.asarray(happened).any(axis=1))
    return int((rows[0] + 1) * happened.shape[1]) if len(rows) else None
