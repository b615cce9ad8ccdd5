"""The part that all worlds of the article share: factors drawn uniform, walks of those that change, frames of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perma_agent.data.article_worlds.walks import laplace_steps, reflect, wrap
from perma_agent.data.article_worlds.world import (
    FactorGroup,
    WorldFactor,
    WorldFrames,
    WorldPairs,
    WorldSequences,
    checked_offsets,
)
from perma_agent.types import FramePairs

FRAMES_AT_ONCE = 256
"""Frames painted together: more would leave the processor's cache."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WalkingWorld(ABC):
    """A world whose changing factors take Laplace steps and turn around at the ends of their range.

    Inside, a factor is its *share*: where it lies between `low` and `high`, in [0, 1]. Discrete values share it out
    evenly. A subclass says which `factors` it has, in which `groups` they change, and `paint`s them.

    Raises:
        ValueError: `canvas` or `step` is not usable.
    """

    canvas: int = 32
    """S, side of the frames in pixels, at least 16."""
    step: float = 0.15
    """Mean length of a step of each changing factor, as a share of its range."""

    def __post_init__(self) -> None:
        if self.canvas < 16:
            raise ValueError(f"expected a canvas of at least 16 pixels, got {self.canvas}")
        if not 0 < self.step < np.inf:
            raise ValueError(f"expected a positive step, as a share of the range, got {self.step}")

    @property
    @abstractmethod
    def walked(self) -> tuple[WorldFactor, ...]:
        """What is drawn and walks, in the order of the columns of shares."""

    @property
    @abstractmethod
    def groups(self) -> tuple[FactorGroup, ...]:
        """The changing factors, by what it is that changes."""

    @property
    def channels(self) -> Literal[1, 3]:
        """C: 1 for grey, 3 for RGB."""
        return 1

    @property
    def factors(self) -> tuple[WorldFactor, ...]:
        """The K factors, in the order of the columns: what walks, unless a world describes it otherwise."""
        return self.walked

    @abstractmethod
    def paint(self, factors: np.ndarray) -> np.ndarray:
        """Brightness in [0, 1], float32 `[B, C, S, S]`, of checked factors `[B, K]`."""

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The K factors, in the order of the columns."""
        return tuple(factor.name for factor in self.factors)

    @property
    def continuous(self) -> tuple[bool, ...]:
        """Which factors are numbers; the values of the others are names."""
        return tuple(factor.continuous for factor in self.factors)

    @property
    def changing(self) -> tuple[int, ...]:
        """Columns of the factors that change within a trajectory."""
        return tuple(k for k, factor in enumerate(self.factors) if factor.changing)

    @property
    def staying(self) -> tuple[int, ...]:
        """Columns of the factors that do not."""
        return tuple(k for k, factor in enumerate(self.factors) if not factor.changing)

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the frames."""
        return (self.channels, self.canvas, self.canvas)

    def draw(self, count: int, rng: np.random.Generator) -> WorldFrames:
        """Draw frames, all factors uniform and independent of each other.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same frames.
        """
        factors = self.describe(self._shares(count, rng))
        return WorldFrames(self.render(factors), factors, self.visible(factors))

    def pairs(self, count: int, rng: np.random.Generator, offsets: Sequence[int] = (1,)) -> WorldPairs:
        """Draw pairs: the earlier frame as `draw` draws it, the later one o steps of the walk on.

        Args:
            count: B, at least 1.
            rng: all randomness comes from here; the same state gives the same pairs.
            offsets: o, in steps, each at least 1; every pair draws one of them.

        Raises:
            ValueError: the offsets are not usable.
        """
        steps = checked_offsets(offsets)
        drawn = rng.choice(steps, size=count)
        walk = self.walk(self._shares(count, rng), int(steps.max()), rng)
        earlier, later = self.describe(walk[:, 0]), self.describe(walk[np.arange(count), drawn])
        return WorldPairs(FramePairs(self.render(later), self.render(earlier), drawn), later, earlier)

    def sequences(self, count: int, length: int, rng: np.random.Generator) -> WorldSequences:
        """Draw sequences that start as `start` says and go on step by step.

        Args:
            count: B, at least 1.
            length: T, frames in each, at least 1.
            rng: all randomness comes from here; the same state gives the same sequences.
        """
        if length < 1:
            raise ValueError(f"expected sequences of at least 1 frame, got {length}")
        walk = self.walk(self.start(self._shares(count, rng), rng), length - 1, rng)
        factors = self.describe(walk.reshape(count * length, -1))
        frames = self.render(factors).reshape(count, length, *self.frame_shape)
        return WorldSequences(frames, factors.reshape(count, length, -1), self.visible(factors).reshape(count, length))

    def render(self, factors: np.ndarray) -> np.ndarray:
        """Frames that show given factors, uint8, shape `[B, C, S, S]`.

        Args:
            factors: numbers, shape `[B, K]`, discrete ones numbered from 0.

        Raises:
            ValueError: the shape is another, or a value lies out of its range.
        """
        given = np.asarray(factors, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.factors):
            raise ValueError(f"expected factors [B, {len(self.factors)}] for {self.factor_names}, got {given.shape}")
        for factor, column in zip(self.factors, given.T, strict=True):
            whole = factor.continuous or (column == np.rint(column)).all()
            if not ((column >= factor.low - 1e-9) & (column <= factor.high + 1e-9)).all() or not whole:
                kind = "numbers" if factor.continuous else "whole numbers"
                raise ValueError(f"expected {factor.name} as {kind} from {factor.low:g} to {factor.high:g}, got others")
        frames = np.empty((len(given), *self.frame_shape), np.uint8)
        for first in range(0, len(given), FRAMES_AT_ONCE):
            painted = self.paint(given[first : first + FRAMES_AT_ONCE])
            frames[first : first + FRAMES_AT_ONCE] = painted * np.float32(255) + np.float32(0.5)
        return frames

    def visible(self, factors: np.ndarray) -> np.ndarray:
        """Share of the object that nothing hides, in [0, 1], shape `[B]`, of factors `[B, K]`."""
        return np.ones(len(factors))

    def start(self, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Shares that sequences start from, of uniform ones `[B, W]`: those themselves."""
        del rng
        return shares

    def walk(self, start: np.ndarray, steps: int, rng: np.random.Generator) -> np.ndarray:
        """Shares along walks from `start` `[B, W]`, shape `[B, steps + 1, W]`."""
        moves = self.moves(len(start), steps, rng)
        free = np.concatenate([start[:, None], start[:, None] + np.cumsum(moves, axis=1)], axis=1)
        columns = enumerate(self.walked)
        return np.stack([wrap(free[..., k]) if f.circular else reflect(free[..., k]) for k, f in columns], axis=2)

    def moves(self, count: int, steps: int, rng: np.random.Generator) -> np.ndarray:
        """Steps of all shares, 0 for those that stay, shape `[B, steps, W]`."""
        changing = np.array([factor.changing for factor in self.walked])
        moves: np.ndarray = laplace_steps((count, steps, len(changing)), self.step, rng) * changing
        return moves

    def describe(self, shares: np.ndarray) -> np.ndarray:
        """Factors `[B, K]` of shares `[B, W]`."""
        low = np.array([factor.low for factor in self.walked])
        range_ = np.array([factor.high for factor in self.walked]) - low
        named = ~np.array([factor.continuous for factor in self.walked])
        values: np.ndarray = low + shares * range_
        values[:, named] = low[named] + np.minimum(shares[:, named] * (range_[named] + 1), range_[named]) // 1
        return values

    def _shares(self, count: int, rng: np.random.Generator) -> np.ndarray:
        if count < 1:
            raise ValueError(f"expected a batch of at least 1, got {count}")
        return rng.random((count, len(self.walked)))
