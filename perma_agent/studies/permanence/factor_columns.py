"""Factors of levels as a table: one column a number, angles as cosine and sine, what tells nothing left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from perma_agent.envs import FactorSpec

NAMES = frozenset({"index", "flag"})
"""Units of factors whose values are names, without order; all others are continuous."""
ABSENT = "object_present"
"""Factor that tells of each object whether it is there."""
OF_OBJECTS = ("object_kind", "object_colour", "object_position")
"""Factors that mean nothing for an object that is not there; `object_visible` is truly 0."""
CONSTANT = 1e-6
"""Spread of a column, relative to its largest value, up to which it is constant: what float32 rounds."""


@dataclass(frozen=True, kw_only=True)
class FactorColumns:
    """Factors of N frames, all known and all varying."""

    names: tuple[str, ...]
    """Of the K columns: `x`, `heading_cos`, `object_position[0,1]` …"""
    values: np.ndarray
    """float32, shape `[N, K]`."""
    continuous: tuple[bool, ...]
    """Which columns are; the values of the others are names."""
    dropped: Mapping[str, str]
    """Column that was left out → why: `constant`, or `unknown in 12 of 100 frames`."""


@dataclass(frozen=True, kw_only=True)
class FactorSpread:
    """How one factor is distributed over some rollouts."""

    low: float
    """Least value."""
    high: float
    """Largest value."""
    mean: float
    """Mean over frames."""
    std: float
    """Standard deviation over frames."""
    within: float
    """Share of its variance that lies within episodes, in [0, 1]: 0 for what changes only between them."""


def factor_columns(factors: Mapping[str, np.ndarray], specs: Sequence[FactorSpec]) -> FactorColumns:
    """Flatten factors into columns.

    - A factor of one number is one column under its own name, one of more has a column a number: `name[i,j]`.
    - An angle, that is a factor with a period p, is two columns, cos(2πv/p) and sin(2πv/p): v itself jumps.
    - Of an object that is not there kind, colour and place are unknown, whatever stands in its slot.
    - A column that is unknown (NaN) at some frame is dropped as a whole: filling it would make up a truth, and leaving
      frames out would tear trajectories apart.
    - A constant column is dropped.

    Args:
        factors: name → float32 of shape `[N, ...]`, as `TrajectoryStore.factors` gives them; NaN where unknown.
        specs: what they mean; a factor without one is continuous and no angle.

    Raises:
        ValueError: no column is left.
    """
    known = {spec.name: spec for spec in specs}
    names: list[str] = []
    columns: list[np.ndarray] = []
    kinds: list[bool] = []
    dropped: dict[str, str] = {}
    for name, values in _hide_absent(factors).items():
        spec = known.get(name)
        for column, numbers in _flat(name, values, period=spec.period if spec else None):
            if reason := _useless(numbers):
                dropped[column] = reason
                continue
            names.append(column)
            columns.append(numbers)
            kinds.append(spec is None or spec.unit not in NAMES)
    if not columns:
        raise ValueError(f"expected a factor that is known at all frames and varies, got none of {sorted(factors)}")
    table = np.stack(columns, axis=1).astype(np.float32)
    return FactorColumns(names=tuple(names), values=table, continuous=tuple(kinds), dropped=dropped)


def factor_spreads(values: np.ndarray, trajectories: np.ndarray) -> list[FactorSpread]:
    """How each column is distributed, and how much of that happens within episodes.

        within = mean of (v - mean of v over its episode)² / var(v)

    Args:
        values: shape `[N, K]`.
        trajectories: which episode each row is of, shape `[N]`.

    Returns:
        K of them.
    """
    _, episode, counts = np.unique(trajectories, return_inverse=True, return_counts=True)
    found = []
    for column in values.T.astype(np.float64):
        means = np.bincount(episode, weights=column) / counts
        inside, variance = float(((column - means[episode]) ** 2).mean()), float(column.var())
        found.append(
            FactorSpread(
                low=float(column.min()),
                high=float(column.max()),
                mean=float(column.mean()),
                std=variance**0.5,
                within=inside / variance if variance > 0 else 0.0,
            )
        )
    return found


def _hide_absent(factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The factors with NaN for what is said of objects that are not there."""
    if ABSENT not in factors:
        return dict(factors)
    gone = factors[ABSENT] == 0
    hidden = {}
    for name, values in factors.items():
        if name in OF_OBJECTS and values.shape[:2] == gone.shape:
            values = np.where(gone.reshape(gone.shape + (1,) * (values.ndim - 2)), np.float32(np.nan), values)
        hidden[name] = values
    return hidden


def _flat(name: str, values: np.ndarray, *, period: float | None) -> list[tuple[str, np.ndarray]]:
    """Each number of a factor under its name."""
    single = values[0].size == 1
    found = []
    for place in np.ndindex(values.shape[1:]):
        numbers = values[(slice(None), *place)]
        column = name if single else f"{name}[{','.join(map(str, place))}]"
        if period is None:
            found.append((column, numbers))
            continue
        turn = numbers.astype(np.float64) * (2 * np.pi / period)
        found += [(f"{column}_cos", np.cos(turn)), (f"{column}_sin", np.sin(turn))]
    return found


def _useless(numbers: np.ndarray) -> str:
    """Why a column is of no use; empty if it is."""
    unknown = int((~np.isfinite(numbers)).sum())
    if unknown:
        return f"unknown in {unknown} of {len(numbers)} frames"
    return "constant" if np.ptp(numbers) <= CONSTANT * np.abs(numbers).max() else ""
