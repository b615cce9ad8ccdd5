"""The recorder behind the wrappers: an episode under way for each of N levels, and a writer for those that ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from perma_agent.data.episode import Episode, Factors
from perma_agent.data.store import TrajectoryStore
from perma_agent.data.writer import BackgroundWriter
from perma_agent.errors import StoreError
from perma_agent.types import Provenance, Trajectory

StoreOrPath = TrajectoryStore | str | Path


class Recorder:
    """Turns what N levels show into trajectories of a store.

    Args:
        store: an open store, or the path of one, which is made if need be and closed with the recorder.
        provenances: one for each level; the seed is filled in when an episode begins.
        frame_shape: `(H, W, C)` of what the levels show.
        max_steps: an episode of more actions is stored in parts (each but the last truncated, each beginning with
            the frame the one before ended with), so that a level that never ends needs bounded memory.

    Raises:
        StoreError: the store cannot be opened, or holds frames of another shape.
    """

    def __init__(
        self, store: StoreOrPath, provenances: Sequence[Provenance], *, frame_shape: tuple[int, ...], max_steps: int
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"expected max_steps of at least 1, got {max_steps}")
        self._owns_store = not isinstance(store, TrajectoryStore)
        self.store = store if isinstance(store, TrajectoryStore) else TrajectoryStore.open_or_create(store)
        if self.store.frame_shape not in (None, frame_shape):
            raise StoreError(
                f"expected a store of frames of shape {frame_shape} [H, W, C] like the level's, got one of "
                f"{self.store.frame_shape} at {self.store.path}; record into another, or use ObserveFrames"
            )
        self.provenances = list(provenances)
        self._max_steps = max_steps
        self._writer = BackgroundWriter(self.store)
        self._episodes: list[Episode | None] = [None] * len(self.provenances)
        self._finished: list[Trajectory] = []
        self._again: int | None = None

    def begin(self, level: int, frame: np.ndarray, *, factors: Factors, seed: int | None = None) -> None:
        """A level was reset; an episode of it that was under way is stored as truncated."""
        self._end(level, terminated=False, truncated=True)
        self._episodes[level] = Episode(frame, factors, provenance=replace(self.provenances[level], seed=seed))

    def step(self, level: int, action: np.ndarray, reward: float, *, frame: np.ndarray, factors: Factors) -> None:
        """A level took a step; `frame` is what that led to, also when it ended the episode."""
        episode = self._episodes[level]
        if episode is None:
            return  # stepped without a reset: there is nothing to append it to
        if len(episode) == self._max_steps:
            frame_before, factors_before, seed = episode.last_frame, episode.last_factors, episode.provenance.seed
            self.begin(level, frame_before, factors=factors_before, seed=seed)
            episode = self._episodes[level]
            assert episode is not None
        episode.step(action, reward, frame=frame, factors=factors)

    def end(self, level: int, *, terminated: bool, truncated: bool) -> None:
        """A level's episode ended with the last step."""
        self._end(level, terminated=terminated, truncated=truncated)

    def hand_over(self) -> None:
        """Give the episodes that ended since the last call to the writer."""
        finished, self._finished = self._finished, []
        while finished and self._is_stored_already(finished[0]):
            finished.pop(0)
        if finished:
            self._writer.submit(finished)

    def mark(self) -> int:
        """How many trajectories are stored, once all that ended are: where a resumed recording goes on.

        Raises:
            StoreError: the store could not be written; nothing that was recorded is dropped.
        """
        self.flush()
        self.store.refresh()
        return len(self.store)

    def go_on_from(self, mark: int) -> None:
        """Record after a mark what a killed process may have stored already: equal trajectories are not added again.

        Episodes under way stay; what else was played again up to now had been stored before the mark.

        Args:
            mark: of the process that recorded before.

        Raises:
            StoreError: the store has fewer trajectories.
        """
        self._finished = []
        self.store.refresh()
        if len(self.store) < mark:
            raise StoreError(
                f"expected a store of at least {mark} trajectories at {self.store.path}, as there were when the "
                f"recording was left, got {len(self.store)}; record into that store, or begin anew elsewhere"
            )
        self._again = mark

    def leave(self) -> None:
        """Drop the episodes under way, which a later process will play again and record."""
        self._episodes = [None] * len(self._episodes)

    def check(self) -> None:
        """Raise what went wrong while writing, once.

        Raises:
            StoreError: the store could not be written; nothing that was recorded is dropped.
        """
        self._writer.check()

    def flush(self) -> None:
        """Return when every episode that ended is committed.

        Raises:
            StoreError: the store could not be written; nothing that was recorded is dropped.
        """
        self.hand_over()
        self._writer.flush()

    def close(self) -> None:
        """Store the episodes under way as truncated, wait until all is committed, close the store that was opened here.

        Raises:
            StoreError: the store could not be written; nothing that was recorded is dropped.
        """
        for level in range(len(self._episodes)):
            self._end(level, terminated=False, truncated=True)
        self.flush()
        if self._owns_store:
            self.store.close()

    def _is_stored_already(self, trajectory: Trajectory) -> bool:
        """Whether the next trajectory that a killed process may have stored is this one."""
        if self._again is None or self._again >= len(self.store):
            self._again = None
            return False
        stored = self.store.trajectory(self._again)
        same = np.array_equal(stored.frames, trajectory.frames) and np.array_equal(stored.actions, trajectory.actions)
        self._again = self._again + 1 if same else None
        return same

    def _end(self, level: int, *, terminated: bool, truncated: bool) -> None:
        episode, self._episodes[level] = self._episodes[level], None
        if episode is not None and len(episode):
            self._finished.append(episode.end(terminated=terminated, truncated=truncated))
