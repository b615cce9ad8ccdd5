"""Pairs of frames of one episode, some steps apart, drawn at random from a store or from a rollout in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from perma_agent.data.store import TrajectoryStore
from perma_agent.errors import FrameError, StoreError
from perma_agent.types import FramePairs, check_frames


class PairSource(Protocol):
    """Whatever pairs of frames can be drawn from: what a learner needs to know of its data."""

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw `batch_size` pairs with replacement; the same state of `rng` gives the same pairs."""
        ...


class PairSampler:
    """Pairs drawn from all trajectories of a store.

    The offset o of each pair is drawn by its weight, then the pair uniformly from all pairs (I_{t-o}, I_t) that lie in
    one trajectory: a trajectory of T + 1 frames has T + 1 - o of them, so long ones are drawn from more often and no
    frame is passed over. Nothing is kept between draws but 24 bytes a trajectory and offset; frames are read
    when drawn.

    It sees the trajectories that were there when it was made; `refresh` takes over new ones.

    Args:
        store: where the frames are.
        offsets: o, in steps, each at least 1.
        offset_weights: how often each offset is drawn, relative to the others; equally often by default.
        levels: draw from trajectories of these levels only.
        trajectories: draw from the trajectories of these numbers only.

    Raises:
        StoreError: the store is empty, nothing matches `levels`, or no trajectory is long enough for an offset.
        IndexError: a number in `trajectories` is out of range.
        ValueError: offsets or weights are not usable.
    """

    def __init__(
        self,
        store: TrajectoryStore,
        *,
        offsets: Sequence[int] = (1,),
        offset_weights: Sequence[float] | None = None,
        levels: Collection[str] | None = None,
        trajectories: Sequence[int] | range | np.ndarray | None = None,
    ) -> None:
        self._store = store
        self._offsets, self._weights = _checked(offsets, offset_weights)
        self._levels = None if levels is None else frozenset(levels)
        self._trajectories = None if trajectories is None else np.unique(np.asarray(trajectories, dtype=np.int64))
        self._runs = self._find_runs()

    @property
    def num_pairs(self) -> int:
        """Different pairs that may be drawn, of all offsets together."""
        return self._runs.num_pairs

    def refresh(self) -> None:
        """Take over trajectories that were added since, also by other processes.

        Raises:
            StoreError: files are damaged or missing.
        """
        self._store.refresh()
        self._runs = self._find_runs()

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw pairs with replacement.

        Args:
            batch_size: B, at least 1.
            rng: all randomness comes from here; the same state and the same trajectories give the same pairs.

        Returns:
            B pairs, uint8, channels first.

        Raises:
            StoreError: files are damaged or missing.
        """
        later, offsets = self._runs.draw(batch_size, rng)
        frames = self._store.frames(np.concatenate([later, later - offsets]))
        frames = np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
        return FramePairs(frames[:batch_size], frames[batch_size:], offsets)

    def _find_runs(self) -> _Runs:
        index = self._store.index
        if not len(index):
            raise StoreError(f"expected trajectories in {self._store.path}, got an empty store; record some first")
        chosen = np.arange(len(index)) if self._trajectories is None else self._trajectories
        if chosen.size and not 0 <= chosen[0] <= chosen[-1] < len(index):
            raise IndexError(f"expected trajectories from 0 to {len(index) - 1}, got {chosen[0]} to {chosen[-1]}")
        if self._levels is not None:
            codes = [code for code, level in enumerate(index.levels) if level in self._levels]
            chosen = chosen[np.isin(index.level_codes[chosen], codes)]
        if not chosen.size:
            raise StoreError(
                f"expected trajectories of {sorted(self._levels or ())} among those chosen from {self._store.path}, "
                f"got none; its levels are {list(index.levels)}"
            )
        lengths = index.lengths[chosen]
        impossible = [int(offset) for offset in self._offsets if offset >= lengths.max()]
        if impossible:
            raise StoreError(
                f"expected trajectories of more than {max(impossible)} steps for the offsets {impossible}, "
                f"got at most {lengths.max() - 1} steps; choose smaller offsets or record longer episodes"
            )
        return _Runs(index.starts[chosen], lengths, offsets=self._offsets, weights=self._weights)


class RolloutFrames:
    """Pairs drawn from a rollout in memory, as Stable-Baselines3's buffers hold it.

    Drawn as `PairSampler` does, with the part of an episode that lies in the rollout in a trajectory's place. Since
    episodes come as they come, offsets that none of them is long enough for are left out; the others keep their
    relative weights.

    Args:
        frames: uint8, shape `[T, N, C, H, W]`, T steps of N parallel levels; not copied.
        episode_starts: shape `[T, N]`, true where a frame is the first of an episode. The first row counts as true.
        offsets: o, in steps, each at least 1.
        offset_weights: how often each offset is drawn, relative to the others; equally often by default.

    Raises:
        FrameError: the frames are not such images, or no part of an episode is long enough for any offset.
        ValueError: offsets or weights are not usable.
    """

    def __init__(
        self,
        frames: np.ndarray,
        episode_starts: np.ndarray,
        *,
        offsets: Sequence[int] = (1,),
        offset_weights: Sequence[float] | None = None,
    ) -> None:
        check_frames(frames, ndim=5)
        if episode_starts.shape != frames.shape[:2] or not frames.size:
            raise FrameError(
                f"expected frames [T, N, C, H, W] and episode_starts [T, N], got {frames.shape} and "
                f"{episode_starts.shape}; pass the rollout buffer's own arrays"
            )
        self._frames = frames
        first = episode_starts.astype(bool).T.copy()  # level by level, so that an episode's frames follow each other
        first[:, 0] = True
        starts = np.flatnonzero(first)
        lengths = np.diff(starts, append=first.size)
        every, weights = _checked(offsets, offset_weights)
        possible = every < lengths.max()
        if not possible.any():
            raise FrameError(
                f"expected an episode of more than {every.min()} steps in the rollout for the offsets {list(offsets)}, "
                f"got at most {lengths.max() - 1} steps; choose smaller offsets or longer rollouts"
            )
        self._runs = _Runs(starts, lengths, offsets=every[possible], weights=weights[possible])

    @property
    def frames(self) -> np.ndarray:
        """uint8, shape `[T, N, C, H, W]`, oldest first; not to be written to."""
        return self._frames

    @property
    def episode_starts(self) -> np.ndarray:
        """Whether an episode, or what is here of it, begins with a frame; bool, shape `[T, N]`."""
        steps, levels = self._frames.shape[:2]
        first = np.zeros(levels * steps, dtype=bool)
        first[self._runs.starts] = True
        return first.reshape(levels, steps).T

    @property
    def num_pairs(self) -> int:
        """Different pairs that may be drawn, of all offsets together."""
        return self._runs.num_pairs

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """Draw pairs with replacement.

        Args:
            batch_size: B, at least 1.
            rng: all randomness comes from here; the same state gives the same pairs.

        Returns:
            B pairs, uint8, channels first.
        """
        later, offsets = self._runs.draw(batch_size, rng)
        level, step = np.divmod(later, len(self._frames))
        return FramePairs(self._frames[step, level], self._frames[step - offsets, level], offsets)


class _Runs:
    """Rows in runs that no pair may leave, and the law by which pairs are drawn from them."""

    def __init__(self, starts: np.ndarray, lengths: np.ndarray, *, offsets: np.ndarray, weights: np.ndarray) -> None:
        self.starts = starts
        self._offsets = offsets
        self._chances = weights / weights.sum()
        # Pairs up to and with each run, a row an offset: the n-th pair lies in the first run that reaches beyond n.
        self._reach = np.cumsum(np.maximum(lengths - offsets[:, None], 0), axis=1)

    @property
    def num_pairs(self) -> int:
        """Of all offsets together."""
        return int(self._reach[:, -1].sum())

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the later frames and the offsets, each int64 `[B]`."""
        if batch_size < 1:
            raise ValueError(f"expected a batch of at least 1 pair, got {batch_size}")
        choice = rng.choice(len(self._offsets), size=batch_size, p=self._chances)
        pair = rng.integers(0, self._reach[choice, -1])
        later = np.empty(batch_size, dtype=np.int64)
        for k, offset in enumerate(self._offsets):
            here = choice == k
            run = np.searchsorted(self._reach[k], pair[here], side="right")
            before = np.where(run > 0, self._reach[k, run - 1], 0)
            later[here] = self.starts[run] + pair[here] - before + offset
        return later, self._offsets[choice]


def _checked(offsets: Sequence[int], weights: Sequence[float] | None) -> tuple[np.ndarray, np.ndarray]:
    """Offsets int64 and weights float64 as arrays of one length."""
    steps = np.asarray(offsets)
    if steps.ndim != 1 or not steps.size or steps.dtype.kind not in "iu" or steps.min() < 1:
        raise ValueError(f"expected offsets that are whole numbers of at least 1 step, got {offsets}")
    shares = np.ones(len(steps)) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != steps.shape or not np.isfinite(shares).all() or shares.min() <= 0:
        raise ValueError(f"expected one positive weight for each of the offsets {offsets}, got {weights}")
    return steps.astype(np.int64), shares
