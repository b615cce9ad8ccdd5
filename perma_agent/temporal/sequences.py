"""Sequences: frames that follow each other, and pairs cut out of them for hosts that take no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from perma_agent.errors import FrameError
from perma_agent.types import FramePairs, check_frames

Drawn = TypeVar("Drawn", covariant=True)


class Source(Protocol[Drawn]):
    """Whatever batches can be drawn from: pairs (any `PairSource` is one), or sequences."""

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> Drawn:
        """Draw a batch; the same state of `rng` gives the same batch."""
        ...


@dataclass(frozen=True)
class FrameSequences:
    """A batch of runs of frames that follow each other step by step, each within one trajectory."""

    frames: np.ndarray
    """I_1 … I_T of each sequence, uint8, shape `[B, T, C, H, W]`."""

    def __post_init__(self) -> None:
        check_frames(self.frames, ndim=5)
        if self.frames.shape[1] < 2:
            raise FrameError(f"expected sequences of at least two frames, got {self.frames.shape[1]}; draw longer ones")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def length(self) -> int:
        """T, frames in each sequence."""
        return int(self.frames.shape[1])


class PairsOfSequences:
    """Pairs drawn from sequences, so that hosts with memory and without learn from one world.

    Each pair comes from a sequence of its own: its offset is drawn by its weight, its place uniformly.

    Args:
        source: of sequences.
        offsets: o, in steps, each at least 1 and shorter than the sequences.
        offset_weights: how often each offset is drawn, relative to the others; equally often by default.

    Raises:
        ValueError: offsets or weights are not usable.
    """

    def __init__(
        self,
        source: Source[FrameSequences],
        *,
        offsets: Sequence[int] = (1,),
        offset_weights: Sequence[float] | None = None,
    ) -> None:
        self._source = source
        self._offsets = np.asarray(offsets, dtype=np.int64)
        weights = np.ones(len(self._offsets)) if offset_weights is None else np.asarray(offset_weights, np.float64)
        if not self._offsets.size or self._offsets.min() < 1:
            raise ValueError(f"expected offsets of at least 1 step, got {offsets}")
        if weights.shape != self._offsets.shape or not np.isfinite(weights).all() or weights.min() <= 0:
            raise ValueError(f"expected one positive weight for each of the offsets {offsets}, got {offset_weights}")
        self._chances = weights / weights.sum()

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw pairs, uint8, channels first.

        Raises:
            FrameError: the sequences are too short for an offset.
        """
        drawn = self._source.draw(batch_size, rng=rng)
        offsets = rng.choice(self._offsets, size=len(drawn), p=self._chances)
        if self._offsets.max() >= drawn.length:
            raise FrameError(
                f"expected sequences of more than {self._offsets.max()} frames for the offsets "
                f"{self._offsets.tolist()}, got {drawn.length}; draw longer ones or choose smaller offsets"
            )
        later = rng.integers(offsets, drawn.length)
        rows = np.arange(len(drawn))
        return FramePairs(drawn.frames[rows, later], drawn.frames[rows, later - offsets], offsets)
