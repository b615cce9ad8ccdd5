"""Rollouts of 3D levels in memory, with their factors: frames to learn from, pairs in time, and truth to measure by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from perma_agent.data import RolloutFrames, TrajectoryStore
from perma_agent.studies.permanence.factor_columns import FactorSpread, factor_columns, factor_spreads
from perma_agent.studies.permanence.recording import open_rollouts
from perma_agent.types import check_frames

CHUNK = 2_048
"""Frames read from the store at a time: 25 MB at 64×64 RGB."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RolloutData:
    """N frames of trajectories, one after the other and in the order of time, and what they show."""

    frames: np.ndarray
    """uint8, shape `[N, C, S, S]`."""
    factors: np.ndarray
    """float32, shape `[N, K]`."""
    factor_names: tuple[str, ...]
    """Of the K columns."""
    continuous: tuple[bool, ...]
    """Which of them are continuous; the values of the others are names."""
    dropped: Mapping[str, str]
    """Column that the levels give but that is of no use here → why."""
    trajectories: np.ndarray
    """Number of each frame's trajectory, int64, shape `[N]`; the frames of each stand together."""
    levels: np.ndarray
    """Place of each frame's level in `level_names`, int64, shape `[N]`."""
    level_names: tuple[str, ...]
    """Ids of the levels."""
    policy: str
    """Who acted; how often it comes where decides what is slow."""

    def __post_init__(self) -> None:
        check_frames(self.frames, ndim=4)
        rows = len(self.frames)
        if self.factors.shape != (rows, len(self.factor_names)) or len(self.continuous) != len(self.factor_names):
            raise ValueError(
                f"expected factors [{rows}, {len(self.factor_names)}] and a kind each, got {self.factors.shape} "
                f"and {len(self.continuous)} kinds"
            )
        if self.trajectories.shape != (rows,) or self.levels.shape != (rows,):
            raise ValueError(
                f"expected a trajectory and a level of each of {rows} frames, got {self.trajectories.shape} "
                f"and {self.levels.shape}"
            )

    def __len__(self) -> int:
        """N."""
        return len(self.frames)

    @property
    def spreads(self) -> dict[str, FactorSpread]:
        """How each factor is distributed, by name."""
        return dict(zip(self.factor_names, factor_spreads(self.factors, self.trajectories), strict=True))

    def of_factors(self, names: Sequence[str]) -> RolloutData:
        """The same frames with these factors only, in this order.

        Raises:
            ValueError: one of them is not there; says why, if it was dropped.
        """
        for name in names:
            if name not in self.factor_names:
                why = f" ({name} is {self.dropped[name]})" if name in self.dropped else ""
                raise ValueError(f"expected factors among {', '.join(self.factor_names)}, got {name!r}{why}")
        columns = [self.factor_names.index(name) for name in names]
        kinds = tuple(self.continuous[k] for k in columns)
        return replace(self, factors=self.factors[:, columns], factor_names=tuple(names), continuous=kinds)

    def of_level(self, name: str) -> RolloutData:
        """The trajectories of one level; its factors are those of all, so one may be constant here.

        Raises:
            ValueError: there is no such level.
        """
        if name not in self.level_names:
            raise ValueError(f"expected a level among {', '.join(self.level_names)}, got {name!r}")
        return self._rows(self.levels == self.level_names.index(name))

    def split(self, *, test_share: float = 0.25, seed: int = 0) -> tuple[RolloutData, RolloutData]:
        """Trajectories to learn from and others to test on: neighbouring frames never stand on both sides.

        Of each level the same share of trajectories is drawn, at least one for each side.

        Args:
            test_share: of the trajectories, in (0, 1).
            seed: of the draw.

        Raises:
            ValueError: the share is out of range, or a level has a single trajectory.
        """
        if not 0 < test_share < 1:
            raise ValueError(f"expected test_share in (0, 1), got {test_share}")
        rng = np.random.default_rng(seed)
        test = np.zeros(len(self), dtype=bool)
        for level in np.unique(self.levels):
            own = np.unique(self.trajectories[self.levels == level])
            if len(own) < 2:
                raise ValueError(
                    f"expected at least two trajectories of {self.level_names[level]} to split, got one; record more"
                )
            count = min(max(round(test_share * len(own)), 1), len(own) - 1)
            test |= np.isin(self.trajectories, rng.permutation(own)[:count])
        return self._rows(~test), self._rows(test)

    def pairs(
        self, *, offsets: Sequence[int] = (1, 4, 16), offset_weights: Sequence[float] | None = None
    ) -> RolloutFrames:
        """A source of pairs of frames that many steps apart, within trajectories, drawn uniformly; in memory.

        Args:
            offsets: o, in steps; each shorter than the longest trajectory.
            offset_weights: how often each is drawn, relative to the others; equally often by default.

        Raises:
            ValueError: an offset that no trajectory is long enough for, or that is no whole number of steps.
        """
        longest = int(np.unique(self.trajectories, return_counts=True)[1].max())
        if impossible := [offset for offset in offsets if offset >= longest]:
            raise ValueError(f"expected offsets of at most {longest - 1} steps, got {impossible}; choose smaller ones")
        starts = np.diff(self.trajectories, prepend=-1) != 0
        return RolloutFrames(self.frames[:, None], starts[:, None], offsets=offsets, offset_weights=offset_weights)

    def pair_rows(
        self, offset: int = 1, *, count: int | None = None, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the later and of the earlier frames of pairs: `codes[later] - codes[earlier]` are the changes.

        Args:
            offset: o, steps between the two, at least 1.
            count: how many to draw without replacement; None takes every pair there is.
            rng: of the draw, needed with `count`.

        Returns:
            Two int64 arrays of shape `[M]`, ascending.

        Raises:
            ValueError: no trajectory is long enough, there are fewer than `count` pairs, or `rng` is missing.
        """
        if offset < 1:
            raise ValueError(f"expected an offset of at least 1 step, got {offset}")
        later = np.arange(offset, len(self))
        later = later[self.trajectories[later] == self.trajectories[later - offset]]
        if not len(later):
            raise ValueError(f"expected a trajectory of more than {offset} steps, got none; choose a smaller offset")
        if count is not None:
            if rng is None or not 1 <= count <= len(later):
                raise ValueError(f"expected rng and a count from 1 to {len(later)} pairs, got {rng} and {count}")
            later = np.sort(rng.choice(later, size=count, replace=False))
        return later, later - offset

    def _rows(self, chosen: np.ndarray) -> RolloutData:
        return replace(
            self,
            frames=self.frames[chosen],
            factors=self.factors[chosen],
            trajectories=self.trajectories[chosen],
            levels=self.levels[chosen],
        )


def read_rollouts(folder: str | Path, *, size: int = 32, endings: bool = True) -> RolloutData:
    """All that `record_rollouts` put into a folder, in memory: 61 MB for 20,000 RGB frames of 32×32.

    Args:
        folder: of the rollouts.
        size: S, side of the frames in pixels; others are resized once, by area averaging.
        endings: whether the frame each trajectory ended with is kept. Where the goal is gone in it, that alone would
            make the goal's factors unknown and drop them.

    Raises:
        StoreError: there are no finished rollouts, or files are damaged.
        ValueError: the size is no positive number, or no factor is of use.
    """
    if size < 1:
        raise ValueError(f"expected a size of at least 1 pixel, got {size}")
    store, settings, specs = open_rollouts(folder)
    with store:
        index = store.index
        kept = np.ones(store.num_frames, dtype=bool)
        kept[index.starts + index.lengths - 1] = endings
        rows = np.flatnonzero(kept)
        columns = factor_columns(store.factors(rows), specs)
        trajectories = index.trajectory_of(rows)
        return RolloutData(
            frames=_resized(store, rows, size=size),
            factors=columns.values,
            factor_names=columns.names,
            continuous=columns.continuous,
            dropped=columns.dropped,
            trajectories=trajectories,
            levels=index.level_codes[trajectories],
            level_names=index.levels,
            policy=str(settings["policy"]),
        )


def _resized(store: TrajectoryStore, rows: np.ndarray, *, size: int) -> np.ndarray:
    """Frames of a store, uint8, shape `[N, C, size, size]`."""
    height, width, channels = store.frame_shape or (0, 0, 0)
    frames = np.empty((len(rows), channels, size, size), dtype=np.uint8)
    for start in range(0, len(rows), CHUNK):
        chunk = store.frames(rows[start : start + CHUNK])
        if (height, width) != (size, size):
            small = [cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA) for frame in chunk]
            chunk = np.stack(small).reshape(len(chunk), size, size, channels)  # cv2 drops a single channel's axis
        frames[start : start + len(chunk)] = chunk.transpose(0, 3, 1, 2)
    return frames
