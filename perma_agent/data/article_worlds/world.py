"""What every world of the article offers: frames with known factors, walks in time, and which factors they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from perma_agent.types import FramePairs


@dataclass(frozen=True, kw_only=True)
class WorldFactor:
    """A ground-truth factor of a world."""

    name: str
    """What it is called."""
    low: float
    """Its least value."""
    high: float
    """Its largest value; of a discrete factor its last, whole values from `low` on."""
    changing: bool = False
    """Whether it changes within a trajectory; the others stay."""
    continuous: bool = True
    """Whether its values are numbers, uniform between `low` and `high`, or names, each as likely."""
    circular: bool = False
    """Whether a walk goes on at `low` where it leaves at `high`, or turns around."""


@dataclass(frozen=True, kw_only=True)
class FactorGroup:
    """Changing factors that belong together, such as the place of one object."""

    name: str
    """What changes, e.g. `gaze`."""
    factors: tuple[int, ...]
    """Columns of `factors`."""
    most_latents: int
    """Latents they may be read from for the article's claim to be met: two for each thing that changes by itself."""


@dataclass(frozen=True)
class WorldFrames:
    """Frames of a world with the factors they show."""

    frames: np.ndarray
    """uint8, shape `[B, C, S, S]`."""
    factors: np.ndarray
    """Ground truth, float64, shape `[B, K]`; discrete factors are numbered from 0."""
    visible: np.ndarray
    """Share of the object that nothing hides, in [0, 1], shape `[B]`; 1 in worlds where nothing can be hidden."""

    def __len__(self) -> int:
        return len(self.frames)


class WorldPairs(NamedTuple):
    """Pairs of frames of a world, a walk apart, with the factors of both."""

    pairs: FramePairs
    """B pairs."""
    factors: np.ndarray
    """Of `pairs.frames`, float64, shape `[B, K]`."""
    earlier_factors: np.ndarray
    """Of `pairs.earlier`, float64, shape `[B, K]`."""


@dataclass(frozen=True)
class WorldSequences:
    """Runs of frames of a world, a step of the walk between one and the next."""

    frames: np.ndarray
    """uint8, shape `[B, T, C, S, S]`."""
    factors: np.ndarray
    """Ground truth, also of what is hidden, float64, shape `[B, T, K]`."""
    visible: np.ndarray
    """Share of the object that nothing hides, in [0, 1], shape `[B, T]`."""

    def __len__(self) -> int:
        return len(self.frames)


class ArticleWorld(Protocol):
    """A case that the article argues from, with known factors; all randomness comes from the `rng` passed in.

    Source: "Permanence - one prior to rule them all", section "Permanence loss encourages invariant-separated
    representations".
    """

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The K factors, in the order of the columns."""
        ...

    @property
    def continuous(self) -> tuple[bool, ...]:
        """Which factors are numbers; the values of the others are names."""
        ...

    @property
    def changing(self) -> tuple[int, ...]:
        """Columns of the factors that change within a trajectory."""
        ...

    @property
    def staying(self) -> tuple[int, ...]:
        """Columns of the factors that do not."""
        ...

    @property
    def groups(self) -> tuple[FactorGroup, ...]:
        """The changing factors, by what it is that changes."""
        ...

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the frames."""
        ...

    def draw(self, count: int, rng: np.random.Generator) -> WorldFrames:
        """Draw frames, all factors uniform and independent of each other."""
        ...

    def pairs(self, count: int, rng: np.random.Generator, offsets: Sequence[int] = (1,)) -> WorldPairs:
        """Draw pairs, each of an offset drawn from `offsets`; either frame by itself is as `draw` draws it."""
        ...

    def sequences(self, count: int, length: int, rng: np.random.Generator) -> WorldSequences:
        """Draw sequences of `length` frames."""
        ...


class WalkPairs:
    """Pairs of a world without their factors: what a learner draws from (a `PairSource`).

    Args:
        world: where they come from.
        offsets: o, in steps, each at least 1; equally often.
    """

    def __init__(self, world: ArticleWorld, *, offsets: Sequence[int] = (1,)) -> None:
        self._world = world
        self._offsets = checked_offsets(offsets)

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw `batch_size` pairs; the same state of `rng` gives the same pairs."""
        return self._world.pairs(batch_size, rng, offsets=self._offsets.tolist()).pairs


def checked_offsets(offsets: Sequence[int]) -> np.ndarray:
    """Offsets as int64, or a sentence that says what is wrong with them.

    Raises:
        ValueError: there are none, or one is not a whole number of at least 1.
    """
    steps = np.asarray(offsets)
    if steps.ndim != 1 or not steps.size or steps.dtype.kind not in "iu" or steps.min() < 1:
        raise ValueError(f"expected offsets that are whole numbers of at least 1 step, got {offsets}")
    return steps.astype(np.int64)
