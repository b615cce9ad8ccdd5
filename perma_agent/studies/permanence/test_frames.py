"""Test frames: what a code is measured on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from perma_agent.data.article_worlds import FactorGroup
from perma_agent.types import FramePairs

PAIRS = 4_000
"""Pairs for the measures of change."""
MOVED = 500
"""Pairs for each factor that alone moves."""
TEST_SEED = 10_000
"""Added to a cell's seed for the frames it is measured on, so that no stream of random numbers is used twice."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TestFrames:
    """What a code is measured on: N frames with their factors, M pairs, and what moves when one factor moves."""

    __test__ = False  # no test of pytest's

    frames: np.ndarray
    """uint8, shape `[N, C, S, S]`, or sequences `[B, T, C, S, S]` whose rows follow each other, N = B T."""
    factors: np.ndarray
    """Ground truth, shape `[N, K]`."""
    names: tuple[str, ...]
    """Of the K factors."""
    continuous: tuple[bool, ...]
    """Which of them are; the values of the others are names."""
    pairs: FramePairs
    """M pairs drawn as those it learns from."""
    moved: dict[str, FramePairs] = field(default_factory=dict)
    """By factor: pairs between which it alone changes; none where the world does not let us choose."""
    held_out: np.ndarray | None = None
    """Rows to test readers on, bool, shape `[N]`; None draws them."""
    groups: tuple[FactorGroup, ...] = ()
    """Factors that change together, which a code shall set apart; none where nothing is asked."""
    visible: np.ndarray | None = None
    """Of sequences: share of the object that is in view, shape `[B, T]`."""
    identity: tuple[int, ...] = ()
    """Of sequences: columns that say what the object is."""
