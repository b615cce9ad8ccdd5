"""Separation: whether what changes in time is told by a few latents, and kept out of all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KNeighborsRegressor

from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.tables import Continuous, Table, checked_table
from perma_agent.evaluation.recovery import recovery

INSIDE = 0.9
"""Least that the chosen latents must tell of each changing factor."""
OUTSIDE = 0.1
"""Most that all the others together may tell of it."""
LATENTS_PER_FACTOR = 2
"""Latents a changing factor may be spread over: two suffice for one that goes around a circle."""
NEIGHBOURS = 10
"""Of the reader by which latents are chosen: quick, and it bends as it must in few dimensions."""
OWN_WEIGHT = 0.1
"""What a latent knows alone, against what it adds: of two that add nothing, a copy goes before a stranger."""
SHARES = (0.5, 0.25)
"""Of the rows, to learn from and to choose the latents by; the rest are the test."""
FEWEST_ROWS = 200
"""Fewer would leave the test no more than chance."""


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How cleanly a code sets a group of changing factors apart."""

    met: bool
    """Whether the claim is met: every one of `inside` at least 0.9 and every one of `outside` at most 0.1."""
    latents: tuple[int, ...]
    """The chosen latents, in the order they were chosen."""
    inside: np.ndarray
    """Recovery of each factor of the group from the chosen latents, shape `[m]`; see `recovery`."""
    outside: np.ndarray
    """Recovery of the same from all other latents together, shape `[m]`."""
    carried: np.ndarray
    """Recovery of every factor that is not of the group from the chosen latents, shape `[K - m]`: reported, not judged,
    though 0 is what a clean code has."""
    kept: np.ndarray
    """Recovery of those from all other latents, shape `[K - m]`: whether the code knows them at all."""

    @property
    def worst_inside(self) -> float:
        """The least of `inside`."""
        return float(self.inside.min())

    @property
    def worst_outside(self) -> float:
        """The largest of `outside`."""
        return float(self.outside.max())


def invariant_separation(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    changing: Sequence[int],
    continuous: Continuous = True,
    most_latents: int | None = None,
    seed: int = 0,
) -> Separation:
    """Whether a group of changing factors lies in few latents and nowhere else.

        met:  recovery(v_k | z_chosen) >= 0.9  and  recovery(v_k | z_others) <= 0.1   for every k of the group

    Latents are chosen one after another, each the one that adds most to what nearest neighbours tell of the group (a
    tenth of what it tells alone counts too). Of the sets of 1, 2 … `most_latents` so found, that one counts which is
    the smallest to meet the claim on rows set aside for choosing, or, where none does, which has the widest gap between
    the worst inside and the worst outside there. The rows tested on take no part in any of it. Since any set within
    `most_latents` will do, a second copy of a factor may lie in the chosen ones; a copy beyond them breaks the claim.

    Args:
        codes: posterior means, shape `[N, D]`, of frames whose factors are independent; 4,000 to 10,000 rows.
        factors: ground truth, shape `[N, K]`.
        changing: columns of the group, such as x and y of one object.
        continuous: whether factors are numbers or names; one answer for all, or K of them.
        most_latents: most that may be chosen; twice as many as factors in the group by default. Two for the cosine
            and sine of one angle.
        seed: of the split of the rows and of the readers.

    Raises:
        ValueError: shapes, NaN or infinity, constant factors, columns that are not there, or fewer than 200 rows.

    Reference:
        "Permanence - one prior to rule them all", for invariant-separated representations; the measure is ours.
    """
    table = checked_table(codes, factors, continuous)
    group = _checked_group(changing, table)
    most = LATENTS_PER_FACTOR * len(group) if most_latents is None else most_latents
    if most < 1:
        raise ValueError(f"expected most_latents of at least 1, got {most}")
    if len(table.codes) < FEWEST_ROWS:
        raise ValueError(f"expected at least {FEWEST_ROWS} rows of codes, got {len(table.codes)}; encode more frames")
    learn, choose, test = _rows(len(table.codes), seed)
    chosen = _choose(table, group, most=most, learn=learn, choose=choose, seed=seed)
    known = np.concatenate([learn, choose])
    others = [k for k in range(table.factors.shape[1]) if k not in group]
    inside, outside = _both_sides(table, group, chosen, learn=known, test=test, seed=seed)
    carried, kept = _both_sides(table, others, chosen, learn=known, test=test, seed=seed)
    return Separation(
        met=_meets(inside, outside), latents=chosen, inside=inside, outside=outside, carried=carried, kept=kept
    )


def _meets(inside: np.ndarray, outside: np.ndarray) -> bool:
    return bool(inside.min() >= INSIDE and outside.max() <= OUTSIDE)


def _rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the rows to learn from, to choose by and to test on."""
    order = np.random.default_rng(seed).permutation(count)
    first = round(SHARES[0] * count)
    second = first + round(SHARES[1] * count)
    return order[:first], order[first:second], order[second:]


def _choose(
    table: Table, group: list[int], *, most: int, learn: np.ndarray, choose: np.ndarray, seed: int
) -> tuple[int, ...]:
    """The latents that count as the group's."""
    best, widest = (), -np.inf  # type: tuple[tuple[int, ...], float]
    ranked = _ranked(table, group, most=most, learn=learn, choose=choose)
    for size in range(1, len(ranked) + 1):
        inside, outside = _both_sides(table, group, ranked[:size], learn=learn, test=choose, seed=seed)
        if _meets(inside, outside):
            return ranked[:size]
        gap = float(inside.min() - outside.max())
        if gap > widest:
            best, widest = ranked[:size], gap
    return best


def _ranked(table: Table, group: list[int], *, most: int, learn: np.ndarray, choose: np.ndarray) -> tuple[int, ...]:
    """Latents in the order in which they add most to what is known of the group."""
    spread = np.where(varies(table.codes), table.codes.std(axis=0), 1.0)
    scaled, targets = (table.codes - table.codes.mean(axis=0)) / spread, _targets(table, group)
    left, ranked = list(range(scaled.shape[1])), []  # type: list[int], list[int]
    alone = np.array([_near(scaled[:, [d]], targets, learn, choose) for d in left])
    while left and len(ranked) < most:
        score = [_near(scaled[:, [*ranked, d]], targets, learn, choose) for d in left] if ranked else alone
        order = np.asarray(score) + OWN_WEIGHT * alone[left]
        ranked.append(left.pop(int(order.argmax())))
    return tuple(ranked)


def _targets(table: Table, group: list[int]) -> list[np.ndarray]:
    """Each factor as columns to regress: its numbers, or one column a name, shape `[N, ·]`."""
    columns = []
    for k in group:
        values = table.factors[:, [k]]
        columns.append(values if table.continuous[k] else (values == np.unique(values)).astype(np.float64))
    return columns


def _near(codes: np.ndarray, targets: list[np.ndarray], learn: np.ndarray, test: np.ndarray) -> float:
    """R² of what the nearest neighbours tell, averaged over factors."""
    every = np.concatenate(targets, axis=1)
    reader = KNeighborsRegressor(min(NEIGHBOURS, len(learn))).fit(codes[learn], every[learn])
    error = (every[test] - reader.predict(codes[test])) ** 2
    spread = (every[test] - every[test].mean(axis=0)) ** 2
    ends = np.cumsum([target.shape[1] for target in targets])
    parts = [slice(end - target.shape[1], end) for end, target in zip(ends, targets, strict=True)]
    return float(np.mean([1 - error[:, part].sum() / spread[:, part].sum() for part in parts]))


def _both_sides(
    table: Table, columns: Sequence[int], chosen: Sequence[int], *, learn: np.ndarray, test: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Recovery of factors from the chosen latents and from all others, each of shape `[len(columns)]`."""
    within, without = table.codes[:, list(chosen)], np.delete(table.codes, list(chosen), axis=1)
    scores = [
        [
            recovery(part, table.factors[:, k], learn, test, continuous=bool(table.continuous[k]), seed=seed)
            for k in columns
        ]
        for part in (within, without)
    ]
    return np.array(scores[0]), np.array(scores[1])


def _checked_group(changing: Sequence[int], table: Table) -> list[int]:
    count = table.factors.shape[1]
    group = [int(k) for k in changing]
    if not group or len(set(group)) < len(group) or min(group) < 0 or max(group) >= count:
        raise ValueError(f"expected different columns from 0 to {count - 1} as changing factors, got {list(changing)}")
    return group
