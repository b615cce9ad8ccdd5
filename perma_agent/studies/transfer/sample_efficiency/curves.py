"""Learning curves out of cells: the newest episodes' mean return on a grid of steps, and when they get there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.statistics import iqm

SHARE = 0.1
"""Of the budget: the window over which a curve takes the mean, at least."""
TOLERANCE = 1e-9
"""Of comparing means."""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Training curves of n runs of one arm on one level."""

    steps: np.ndarray
    """Level steps at K moments, the same for all runs, int64, shape `[K]`."""
    returns: np.ndarray
    """Mean return of the episodes that ended in the window before each moment, shape `[n, K]`; no NaN."""
    seconds: np.ndarray
    """Wall clock of learning until then, shape `[n, K]`."""

    def __len__(self) -> int:
        """Runs."""
        return len(self.returns)

    def normalised(self, low: float, high: float) -> Curves:
        """The same with returns as scores: 0 at `low`, 1 at `high`."""
        return Curves(steps=self.steps, returns=(self.returns - low) / (high - low), seconds=self.seconds)


def window_of(cell: Cell) -> int:
    """Rollouts over which a cell's curve takes the mean.

    A tenth of the budget, and at least as long as all copies need for the longest episode: in a shorter one the first
    episodes to end are the short ones, which in a level that ends with success are the good ones.
    """
    steps, copies = cell.series["steps"], int(cell.settings["policy"]["copies"])
    longest = copies * int(cell.settings["episode_limit"])
    return max(round(SHARE * len(steps)), math.ceil(longest / int(steps[0])), 1)


def curves_of(cells: Sequence[Cell]) -> Curves | None:
    """Curves of an arm's cells on one level, from the end of the first whole window on.

    Args:
        cells: of the same settings.

    Returns:
        None where there are no cells, or none so long that one window would be full.
    """
    if not cells:
        return None
    window = window_of(cells[0])
    steps = np.array(cells[0].series["steps"], dtype=np.int64)
    if len(steps) < window:
        return None
    counts, sums, seconds = (
        np.array([cell.series[name] for cell in cells], dtype=np.float64) for name in ("episodes", "returns", "seconds")
    )
    returns = windowed_means(sums, counts, window=window)
    begun = np.isfinite(returns).all(axis=0)
    if not begun.any():
        return None
    first = max(window - 1, int(np.argmax(begun)))
    return Curves(steps=steps[first:], returns=returns[:, first:], seconds=seconds[:, first:])


def windowed_means(sums: np.ndarray, counts: np.ndarray, *, window: int) -> np.ndarray:
    """Mean over the newest `window` columns; where none of them counts anything, the mean before.

    Args:
        sums: shape `[n, K]`.
        counts: shape `[n, K]`.
        window: columns.

    Returns:
        Shape `[n, K]`, NaN before the first count.
    """
    totals = [np.pad(values.cumsum(axis=1), ((0, 0), (window, 0))) for values in (sums, counts)]
    total, count = (values[:, window:] - values[:, :-window] for values in totals)
    means: np.ndarray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0.5)
    for column in range(1, means.shape[1]):
        empty = np.isnan(means[:, column])
        means[empty, column] = means[empty, column - 1]
    return means


def first_reach(curves: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Place of the first moment at which a curve is at its threshold or above.

    Args:
        curves: shape `[..., K]`.
        threshold: shape `[...]`.

    Returns:
        int64, shape `[...]`; K where there is no such moment.
    """
    there = curves >= threshold[..., None] - TOLERANCE
    places: np.ndarray = np.where(there.any(axis=-1), there.argmax(axis=-1), curves.shape[-1])
    return places


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Steps until one arm's curve reaches the other's final return, over the other's own steps."""

    ratio: float
    """Of the IQM curves over all seeds; the budget counts where it was not reached."""
    reached: bool
    """Whether it was, by the IQM over all seeds."""
    target: float
    """The other arm's final return: the last moment of its IQM curve."""
    steps: tuple[int, int]
    """Steps of both."""
    ratios: np.ndarray
    """Of each resample, shape `[R]`; the budget counts where it was not reached."""
    missed: float
    """Share of the resamples in which it was not reached."""
    seconds: float
    """The same ratio of wall-clock seconds."""


def common_moments(strata: Sequence[Curves]) -> list[Curves]:
    """Curves of several levels, cut to the moments that all of them have."""
    steps = strata[0].steps
    for curves in strata[1:]:
        steps = np.intersect1d(steps, curves.steps)
    cut = []
    for curves in strata:
        kept = np.isin(curves.steps, steps)
        cut.append(Curves(steps=steps, returns=curves.returns[:, kept], seconds=curves.seconds[:, kept]))
    return cut


def iqm_curve(strata: Sequence[Curves]) -> np.ndarray:
    """IQM over the runs of all strata at each moment, shape `[K]`."""
    return np.asarray(iqm(np.concatenate([curves.returns for curves in strata]), axis=0))


def resampled_curves(strata: Sequence[Curves], *, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """The same of R resamples of the runs, those of each stratum among themselves; shape `[R, K]`."""
    drawn = [curves.returns[rng.integers(0, len(curves), (resamples, len(curves)))] for curves in strata]
    return np.asarray(iqm(np.concatenate(drawn, axis=1), axis=1))


def reach(
    ours: Sequence[Curves],
    theirs: Sequence[Curves],
    *,
    rng: np.random.Generator,
    resamples: int,
    before: tuple[int, float] = (0, 0.0),
    budget: bool = False,
) -> Reach:
    """How soon our curve reaches their final return, by IQM over runs, with the runs of both resampled apart.

        target = IQM_theirs(K),   ratio = min{k: IQM_ours(k) >= target} / min{k: IQM_theirs(k) >= target}

    The rule is the same on both sides, so an arm beside itself has ratio 1; steps that they took after they first were
    as good as in the end do not count for them.

    Args:
        ours: of each stratum (level), at least one.
        theirs: of the same strata, at the same moments.
        rng: of the resampling.
        resamples: R.
        before: level steps and seconds that were spent before, added to ours.
        budget: divide by all steps that they took instead of those until they first were as good as in the end.

    Raises:
        ValueError: the curves are at different moments.
    """
    steps = ours[0].steps
    if any(not np.array_equal(steps, curves.steps) for curves in (*ours, *theirs)):
        raise ValueError("expected curves at the same moments, got others; cut them with common_moments")
    last = len(steps) - 1
    steps = np.append(steps, steps[-1])  # one place more, for what is not reached
    means, target = [iqm_curve(strata) for strata in (ours, theirs)], iqm_curve(theirs)[-1]
    mine, own = (int(first_reach(mean, target)) for mean in means)
    drawn = [resampled_curves(strata, rng=rng, resamples=resamples) for strata in (ours, theirs)]
    mine_drawn, own_drawn = (first_reach(curves, drawn[1][:, -1]) for curves in drawn)
    if budget:
        own, own_drawn = last, np.full_like(own_drawn, last)
    clocks = [_clock(strata) for strata in (ours, theirs)]
    return Reach(
        ratio=float((before[0] + steps[mine]) / steps[own]),
        reached=mine <= last,
        target=float(target),
        steps=(before[0] + int(steps[mine]), int(steps[own])),
        ratios=(before[0] + steps[mine_drawn]) / steps[own_drawn],
        missed=float((mine_drawn > last).mean()),
        seconds=float((before[1] + clocks[0][mine]) / clocks[1][own]),
    )


def _clock(strata: Sequence[Curves]) -> np.ndarray:
    """Mean seconds until each moment, and once more those of the last."""
    seconds = np.concatenate([curves.seconds for curves in strata]).mean(axis=0)
    return np.append(seconds, seconds[-1])
