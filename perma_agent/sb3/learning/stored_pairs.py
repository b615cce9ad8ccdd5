"""Stored pairs: earlier experience of the present environment, out of a store that is recorded into meanwhile."""

from __future__ import annotations

import numpy as np

from perma_agent.data import TrajectoryStore
from perma_agent.data.pairs import PairSampler
from perma_agent.sb3.learning.experience import Experience
from perma_agent.types import FramePairs


class StoredPairs:
    """Does on disk what `Window` does in memory: episodes since the environment changed last, however many.

    Args:
        store: of the present environment's episodes, to which `RecordTrajectories` may go on adding.
        offsets: frames between the two of a pair; episodes shorter than the largest are passed over.
    """

    def __init__(self, store: TrajectoryStore, *, offsets: tuple[int, ...]) -> None:
        self._store, self._offsets = store, offsets
        self._first = 0
        self._pairs: PairSampler | None = None
        self._look_again()

    def __len__(self) -> int:
        """Different pairs that may be drawn."""
        return 0 if self._pairs is None else self._pairs.num_pairs

    def add(self, experience: Experience) -> None:
        """Take over what was recorded since; `experience` itself is the recorder's to keep."""
        self._look_again()

    def clear(self) -> None:
        """Leave aside all that is stored by now: the environment changed."""
        self._store.refresh()
        self._first = len(self._store)
        self._pairs = None

    def draw(self, batch_size: int, *, rng: np.random.Generator) -> FramePairs:
        """`batch_size` pairs, every pair in the episodes equally likely for each offset."""
        assert self._pairs is not None
        return self._pairs.draw(batch_size, rng=rng)

    def _look_again(self) -> None:
        self._store.refresh()
        lengths = self._store.index.lengths[self._first :]
        enough = self._first + np.flatnonzero(lengths > max(self._offsets))
        self._pairs = PairSampler(self._store, offsets=self._offsets, trajectories=enough) if len(enough) else None
