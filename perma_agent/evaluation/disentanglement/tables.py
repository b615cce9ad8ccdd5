"""Codes beside the factors they are codes of: checked once, and split into rows to learn from and rows to test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.bins import discretise, varies

Continuous = bool | Sequence[bool]
"""Whether factors are continuous: one answer for all of them, or one each."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """N codes and their factors, all finite, every factor varying."""

    codes: np.ndarray
    """Posterior means, float64, shape `[N, D]`."""
    factors: np.ndarray
    """Ground truth, float64, shape `[N, K]`."""
    continuous: np.ndarray
    """Which factors are continuous, bool, shape `[K]`; the others' values are names, without order."""

    def labels(self, bins: int) -> np.ndarray:
        """Factors as classes: values numbered, continuous factors in `bins` equal-width bins; ints, shape `[N, K]`."""
        classes = (self.bins_of(k, bins) if c else self.labels_of(k) for k, c in enumerate(self.continuous))
        return np.stack(list(classes), axis=1)

    def labels_of(self, k: int) -> np.ndarray:
        """Values of factor k numbered in ascending order, ints from 0, shape `[N]`."""
        return np.unique(self.factors[:, k], return_inverse=True)[1]

    def bins_of(self, k: int, bins: int) -> np.ndarray:
        """Factor k in equal-width bins, ints from 1, shape `[N]`."""
        return discretise(self.factors[:, [k]], bins)[:, 0]


def checked_table(
    codes: np.ndarray, factors: np.ndarray, continuous: Continuous = False, *, latents: int = 1, least_factors: int = 1
) -> Table:
    """Codes and factors as a table, or a sentence that says what is wrong with them.

    Args:
        codes: shape `[N, D]`.
        factors: numbers, shape `[N, K]`.
        continuous: one answer for all factors, or K of them.
        latents: fewest D that the metric is defined for.
        least_factors: fewest K likewise.

    Raises:
        ValueError: shapes, NaN or infinity, a factor that is constant, or a discrete one with nearly a value per row.
    """
    codes = checked_codes(codes, latents=latents)
    factors = np.asarray(factors, dtype=np.float64)
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(f"expected factors of shape [{len(codes)}, K], a row per code, got {factors.shape}")
    if factors.shape[1] < least_factors:
        raise ValueError(f"expected at least {least_factors} factors, got {factors.shape[1]}")
    if not np.isfinite(factors).all():
        raise ValueError(
            f"expected finite factors, got {int((~np.isfinite(factors)).sum())} that are not; drop the rows"
        )
    kinds = np.asarray(continuous, dtype=bool)
    if kinds.shape not in ((), factors.shape[1:]):
        raise ValueError(f"expected continuous to be one bool or {factors.shape[1]}, one per factor, got {kinds.size}")
    kinds = np.broadcast_to(kinds, factors.shape[1:])
    for k, (column, is_continuous) in enumerate(zip(factors.T, kinds, strict=True)):
        values = len(np.unique(column))
        if values < 2 or not varies(column[:, None])[0]:
            raise ValueError(f"expected factors that vary, got factor {k} constant at {column[0]:g}; leave it out")
        if not is_continuous and values > len(column) / 2:
            raise ValueError(
                f"expected a discrete factor {k} to repeat its values, got {values} in {len(column)} rows; "
                "declare it continuous, or bring more rows"
            )
    return Table(codes=codes, factors=factors, continuous=kinds)


def checked_codes(codes: np.ndarray, *, latents: int = 1) -> np.ndarray:
    """Codes or their changes in float64, shape `[N, D]`, or a sentence that says what is wrong with them.

    Raises:
        ValueError: not two-dimensional, fewer than 2 rows, fewer latents than the metric needs, NaN or infinity.
    """
    codes = np.asarray(codes, dtype=np.float64)
    if codes.ndim != 2:
        raise ValueError(f"expected codes of shape [N, D], got {codes.shape}")
    if len(codes) < 2:
        raise ValueError(f"expected at least 2 rows of codes, got {len(codes)}")
    if codes.shape[1] < latents:
        raise ValueError(f"expected at least {latents} latents, got {codes.shape[1]}")
    if not np.isfinite(codes).all():
        raise ValueError(f"expected finite codes, got {int((~np.isfinite(codes)).sum())} that are not; drop the rows")
    return codes


def split_rows(
    table: Table, rng: np.random.Generator, *, held_out: np.ndarray | None, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and rows to test on.

    Args:
        table: what to split.
        rng: source of the split where `held_out` is None.
        held_out: rows to test on, bool, shape `[N]`; None draws them. Neighbouring frames are alike, so hold out whole
            trajectories if the test is to be of generalisation.
        share: of the rows to hold out where they are drawn.

    Returns:
        Two bool masks of shape `[N]`, each the other's complement.

    Raises:
        ValueError: a mask of another shape, an empty side, or a factor constant in what is learnt from.
    """
    rows = len(table.codes)
    if held_out is None:
        held_out = np.zeros(rows, dtype=bool)
        held_out[rng.permutation(rows)[: max(1, round(share * rows))]] = True
    test = np.asarray(held_out)
    if test.dtype != bool or test.shape != (rows,):
        raise ValueError(f"expected held_out as bool of shape [{rows}], got {test.dtype} {test.shape}")
    if test.all() or not test.any():
        raise ValueError(f"expected held_out to leave rows on both sides, got {int(test.sum())} of {rows} held out")
    for k, column in enumerate(table.factors[~test].T):
        if np.ptp(column) == 0:
            raise ValueError(f"expected factor {k} to vary in the rows learnt from, got {column[0]:g} only; bring more")
    return ~test, test
