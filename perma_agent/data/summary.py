"""What is in a store, counted from its index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perma_agent.data.folder import Compression, sentences
from perma_agent.data.index import TrajectoryIndex


@dataclass(frozen=True, kw_only=True)
class LevelSummary:
    """What a store has of one level."""

    trajectories: int
    """How many."""
    frames: int
    """Of all of them together."""


@dataclass(frozen=True, kw_only=True)
class StoreSummary:
    """What is in a store."""

    path: Path
    """Its folder."""
    compression: Compression
    """How frames are packed."""
    trajectories: int
    """How many."""
    frames: int
    """Of all trajectories together."""
    bytes: int
    """Size of all files in the folder."""
    frame_shape: tuple[int, ...] | None
    """`(H, W, C)`; None while the store is empty."""
    levels: Mapping[str, LevelSummary]
    """By level id, in the order they were first recorded."""


def summarise(
    path: Path, *, compression: Compression, index: TrajectoryIndex, frame_shape: tuple[int, ...] | None
) -> StoreSummary:
    """Count what an index lists and what the folder takes on disk."""
    trajectories = np.bincount(index.level_codes, minlength=len(index.levels))
    frames = np.zeros(len(index.levels), dtype=np.int64)
    np.add.at(frames, index.level_codes, index.lengths)
    with sentences(path, doing="read"):
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return StoreSummary(
        path=path,
        compression=compression,
        trajectories=len(index),
        frames=index.num_rows,
        bytes=size,
        frame_shape=frame_shape,
        levels={
            level: LevelSummary(trajectories=int(trajectories[code]), frames=int(frames[code]))
            for code, level in enumerate(index.levels)
        },
    )
