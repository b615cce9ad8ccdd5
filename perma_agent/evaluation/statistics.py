"""Statistics over few seeds: interquartile mean, bootstrap intervals, success rates and how they compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Statistic = Callable[..., Any]
"""`statistic(values, axis=…)`, as `np.mean` and `iqm` have it."""

RESAMPLES = 10_000
"""Bootstrap resamples; the interval's ends then move by about 1% of its width from one generator to another."""
DRAWN_AT_ONCE = 5_000_000
"""Scores held in memory by resampling: 40 MB."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and how far it can be trusted."""

    value: float
    """The statistic of all observations."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    n: int
    """Observations behind it: seeds, or episodes."""

    @classmethod
    def exact(cls, value: float, *, n: int = 1) -> Estimate:
        """A figure without spread, such as that of a single seed."""
        return cls(value=float(value), low=float(value), high=float(value), n=n)


def iqm(values: np.ndarray, *, axis: int | None = None) -> Any:
    """Interquartile mean: the mean of what is left when the lowest and the highest quarter are dropped.

        IQM = mean of the sorted x_k, floor(n / 4) < k <= n - floor(n / 4)

    Args:
        values: scores, any shape.
        axis: over which to average; None for all.

    Returns:
        A number, or an array without that axis, in the scores' unit.

    Reference:
        Agarwal et al., Deep RL at the edge of the statistical precipice (2021), whose `rliable` computes it alike.
    """
    return stats.trim_mean(values, 0.25, axis=axis)


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    statistic: Statistic = np.mean,
    confidence: float = 0.95,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic over seeds with its percentile bootstrap interval.

    Args:
        values: one figure per seed, shape `[n]`, finite, n of at least 1.
        statistic: what to make of them, with a parameter `axis`.
        confidence: of the interval, in (0, 1).
        rng: source of the resampling.
        resamples: bootstrap resamples.

    Returns:
        The statistic of `values` and the interval between its quantiles over the resamples; low and high equal the
        statistic where n is 1, since one seed says nothing of the spread.

    Raises:
        ValueError: no values, or some not finite.
    """
    return stratified_bootstrap_interval([values], statistic, confidence, rng=rng, resamples=resamples)


def stratified_bootstrap_interval(
    strata: Sequence[Sequence[float] | np.ndarray],
    statistic: Statistic = iqm,
    confidence: float = 0.95,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic over several levels' seeds, where each level's seeds are resampled among themselves.

    So every resample holds as many scores of each level as there are, and a hard level is not taken for bad luck.

    Args:
        strata: normalised scores of each level, one array of shape `[seeds]` each; lengths may differ.
        statistic: of all scores together, with a parameter `axis`.
        confidence: of the interval, in (0, 1).
        rng: source of the resampling.
        resamples: bootstrap resamples.

    Returns:
        The statistic and its percentile interval; n counts the scores of all strata.

    Raises:
        ValueError: a stratum is empty, not one-dimensional, or not finite.

    Reference:
        Agarwal et al. (2021), section 4.1: stratified bootstrap.
    """
    samples = [_checked(values) for values in strata]
    if not samples:
        raise ValueError("expected at least one stratum, got none")
    everything = np.concatenate(samples)
    value = float(statistic(everything, axis=0))
    varying = [sample for sample in samples if len(sample) > 1]
    if not varying:
        return Estimate.exact(value, n=len(everything))
    single = np.concatenate([np.empty(0), *(sample for sample in samples if len(sample) == 1)])

    def of_all(*resampled: np.ndarray, axis: int) -> Any:
        fixed = np.broadcast_to(single, (*resampled[0].shape[:-1], len(single)))
        return statistic(np.concatenate([*resampled, fixed], axis=-1), axis=axis)

    interval = stats.bootstrap(
        varying,
        of_all,
        axis=-1,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, DRAWN_AT_ONCE // len(everything)),
        confidence_level=confidence,
        method="percentile",
        rng=rng,
    ).confidence_interval
    low, high = sorted((float(interval.low), float(interval.high)))  # of equal scores rounding may turn them round
    return Estimate(value=value, low=low, high=high, n=len(everything))


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """A success rate with Wilson's score interval, which stays within [0, 1] and is honest at 0 of n and n of n.

        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n),  p = successes / trials

    Args:
        successes: of the trials, in [0, trials].
        trials: episodes, at least 1.
        confidence: of the interval, in (0, 1).

    Raises:
        ValueError: counts that cannot be.
    """
    _check_counts(successes, trials)
    interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return Estimate(value=successes / trials, low=float(interval.low), high=float(interval.high), n=trials)


def success_ratio(ours: tuple[int, int], reference: tuple[int, int], confidence: float = 0.95) -> Estimate:
    """How many times as often one policy succeeds as another, with the interval of its logarithm.

        R = (k₁/n₁) / (k₀/n₀),   ln R ± z √(1/k₁ - 1/n₁ + 1/k₀ - 1/n₀)

    Where either count is 0, one half is added to all four numbers first, so that the ratio stays finite; it is then
    drawn towards 1, against the better policy.

    Args:
        ours: (successes k₁, episodes n₁).
        reference: (successes k₀, episodes n₀) of the policy compared with, such as the random one.
        confidence: of the interval, in (0, 1).

    Returns:
        R, no unit, positive; n is the smaller of n₁ and n₀.

    Raises:
        ValueError: counts that cannot be.

    Reference:
        Katz et al. (1978) for the interval; Walter (1975) for the halves.
    """
    (k1, n1), (k0, n0) = ours, reference
    _check_counts(k1, n1)
    _check_counts(k0, n0)
    half = 0.5 if 0 in (k1, k0) else 0.0
    a, b, c, d = k1 + half, n1 + half, k0 + half, n0 + half
    ratio = (a / b) / (c / d)
    spread = float(stats.norm.ppf(0.5 + confidence / 2)) * math.sqrt(max(0.0, 1 / a - 1 / b + 1 / c - 1 / d))
    return Estimate(value=ratio, low=ratio * math.exp(-spread), high=ratio * math.exp(spread), n=min(n1, n0))


def _checked(values: Sequence[float] | np.ndarray) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected at least one value in one dimension, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite values, got {array.tolist()}; drop or rerun what failed")
    return array


def _check_counts(successes: int, trials: int) -> None:
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"expected 0 <= successes <= trials and trials >= 1, got {successes} of {trials}")
