"""How ground-truth factors change from one frame to the next: a few of them by a little, or k of them at will."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def laplace_transition(
    factors: np.ndarray, sizes: Sequence[int], *, frozen: Sequence[bool], rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Let every factor that is not frozen move by a truncated Laplace law; at least one of them does.

    A factor of n values goes from i to j with p(j|i) ∝ exp(−rate·|j − i| / ln n). Where none moves, one of them is
    chosen and drawn again from the law without i.

    Source: SlowVAE (Klindt et al. 2021), its LAP data, with rate 1.

    Args:
        factors: i, int64, shape `[B, K]`.
        sizes: n of each factor.
        frozen: which never change: the categorical ones.
        rate: larger means smaller and fewer moves.
        rng: all randomness comes from here.

    Returns:
        j, int64, shape `[B, K]`.

    Raises:
        ValueError: no factor can move, or the rate is not positive.
    """
    movable = [k for k, size in enumerate(sizes) if size > 1 and not frozen[k]]
    if not movable or not 0 < rate < np.inf:
        raise ValueError(
            f"expected a positive rate and a factor that can move, got rate {rate} and {len(movable)} such factors; "
            "open an ordinal factor, or take uniform transitions"
        )
    laws = {k: _laplace_law(sizes[k], rate) for k in movable}
    moved = factors.copy()
    for k in movable:
        moved[:, k] = _drawn(laws[k][factors[:, k]], rng)
    still = np.flatnonzero((moved == factors).all(axis=1))
    chosen = rng.choice(movable, size=len(still))
    for k in movable:
        rows = still[chosen == k]
        law = laws[k] * (1 - np.eye(sizes[k]))
        moved[rows, k] = _drawn(law[factors[rows, k]], rng)
    return moved


def uniform_transition(
    factors: np.ndarray, sizes: Sequence[int], *, changes: int | None, rng: np.random.Generator
) -> np.ndarray:
    """Let exactly k factors, chosen at random, change to any of their other values.

    Source: Locatello et al. 2020; SlowVAE's UNI data, where k is uniform over 1 … K − 1 for each pair.

    Args:
        factors: int64, shape `[B, K]`.
        sizes: values of each factor, each at least 2.
        changes: k, from 1 to K; None draws it for each pair.
        rng: all randomness comes from here.

    Returns:
        The factors afterwards, int64, shape `[B, K]`.

    Raises:
        ValueError: k is not from 1 to K.
    """
    batch, count = factors.shape
    if changes is not None and not 1 <= changes <= count:
        raise ValueError(f"expected from 1 to {count} changing factors, got {changes}")
    k = rng.integers(1, max(count, 2), size=batch) if changes is None else np.full(batch, changes)
    rank = rng.random((batch, count)).argsort(axis=1).argsort(axis=1)
    n = np.asarray(sizes)
    other = (factors + rng.integers(1, n, size=(batch, count))) % n
    return np.where(rank < k[:, None], other, factors)


def _laplace_law(size: int, rate: float) -> np.ndarray:
    """Chances of each move, not normalised, `[from, to]`."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    law: np.ndarray = np.exp(-rate / np.log(size) * distance)
    return law


def _drawn(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One index for each row of unnormalised chances `[B, n]`, int64 `[B]`."""
    reach = np.cumsum(chances, axis=1)
    threshold = rng.random(len(chances)) * reach[:, -1]
    drawn: np.ndarray = (reach <= threshold[:, None]).sum(axis=1)
    return drawn
