"""The Lance table under a store: versions that readers keep, turns that writers take, small files merged in time."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import lance
import numpy as np
import pyarrow as pa

from perma_agent.data.folder import Compression, is_missing_file, sentences, writer_lock
from perma_agent.data.index import Entry, TrajectoryIndex, scan
from perma_agent.data.rows import frame_shape_of, layout_of, make_schema, to_batch
from perma_agent.errors import StoreError
from perma_agent.types import Trajectory

T = TypeVar("T")
TABLE = "frames.lance"
CACHE_BYTES = 64 * 2**20
"""Lance may keep this much of its files' metadata in memory, however long the store is."""
READ_ATTEMPTS = 3
"""A read is tried this often while other processes merge the files under it."""
COMMITS_BETWEEN_MERGES = 32
"""A commit adds three files; after so many they are merged."""
MERGED_BYTES = 128 * 2**20
"""Pixels in a merged file: a terabyte then takes some 8,000 of them, and no merge moves more than it needs to."""


@dataclass(frozen=True)
class View:
    """One version of the table with its index; replaced as a whole, so that threads may go on reading the old one."""

    dataset: lance.LanceDataset | None = None
    """None until the first trajectory is committed."""
    index: TrajectoryIndex = field(default_factory=TrajectoryIndex)
    """Of the trajectories in it."""
    frame_shape: tuple[int, ...] | None = None
    """`(H, W, C)` of every frame; None until there is one."""


class FrameTable:
    """The rows of all trajectories of a store, in the order of their commits.

    Invariant that all else rests on: rows are only appended, whole trajectories at a time, and merging files keeps
    their order, so that every version begins with the rows of every older one.
    """

    def __init__(self, folder: Path, *, compression: Compression) -> None:
        self._folder = folder
        self._compression = compression
        self._session = lance.Session(  # type: ignore[attr-defined]
            index_cache_size_bytes=2**20, metadata_cache_size_bytes=CACHE_BYTES
        )
        self._thread_lock = threading.RLock()
        self._process_lock = writer_lock(folder)
        self._commits_to_merge = 0
        self._view: View | None = View()
        self.refresh()

    @property
    def view(self) -> View:
        """What this object knows of the table.

        Raises:
            StoreError: it was closed, or this is a forked child.
        """
        refuse_forked_child()
        if self._view is None:
            raise StoreError(f"expected an open store, got {self._folder} after close(); open it again")
        return self._view

    def refresh(self) -> None:
        """Take over what other processes have committed since."""
        self._patiently(self._load)

    def read(self, question: Callable[[lance.LanceDataset], T]) -> T:
        """Ask the table something.

        Raises:
            StoreError: the store is empty, or files are damaged or missing.
        """

        def ask() -> T:
            dataset = self.view.dataset
            if dataset is None:
                raise StoreError(f"expected trajectories in {self._folder}, got an empty store; record some first")
            return question(dataset)

        return self._patiently(ask)

    def append(self, trajectories: Sequence[Trajectory]) -> range:
        """Commit trajectories with frames of one shape, all of them or (if this raises) none; returns their numbers.

        Raises:
            StoreError: the frames' shape is not the table's, or writing failed.
        """
        with self._turn():
            if self._commits_to_merge >= COMMITS_BETWEEN_MERGES:
                self._merge()  # before the commit: should it fail, nothing was added and trying again is safe
            view = self.view
            shapes = {trajectory.frames.shape[1:] for trajectory in trajectories}
            shape = view.frame_shape or trajectories[0].frames.shape[1:]
            if shapes != {shape}:
                raise StoreError(
                    f"expected frames of one shape {shape} [H, W, C] in {self._folder}, got {sorted(shapes)}; "
                    "record into another store, or resize the frames"
                )
            dataset = self._commit(trajectories, shape)
            entries = [Entry(len(t.frames), t.provenance.level, layout_of(t).to_json()) for t in trajectories]
            self._view = View(dataset, view.index.extended(entries), shape)
            self._commits_to_merge += 1
            return range(len(view.index), len(view.index) + len(entries))

    def merge(self) -> None:
        """Merge small files and remove what only older versions need."""
        with self._turn():
            if self.view.dataset is not None:
                self._merge()

    def close(self) -> None:
        """Merge what this object added, then refuse further use; warns where merging fails, since nothing is lost."""
        if self._view is None:
            return
        try:
            if self._commits_to_merge > 1:
                self.merge()
        except StoreError as error:
            warnings.warn(f"{error} (its small files stay as they are)", RuntimeWarning, stacklevel=3)
        finally:
            self._view = None

    def _patiently(self, reading: Callable[[], T]) -> T:
        """Read; again on the newest version if another process merged the files of this one away."""
        for _ in range(READ_ATTEMPTS - 1):
            try:
                with sentences(self._folder, doing="read"):
                    return reading()
            except StoreError as error:
                if not is_missing_file(error):
                    raise
                with sentences(self._folder, doing="read"):
                    self._load()
        with sentences(self._folder, doing="read"):
            return reading()

    def _load(self) -> None:
        with self._thread_lock:
            view = self.view
            if not (self._folder / TABLE / "_versions").is_dir():
                return  # nothing has been committed yet
            dataset = lance.dataset(self._folder / TABLE, session=self._session)
            if view.dataset is None or dataset.version != view.dataset.version:
                shape = frame_shape_of(dataset.schema)  # first: it tells whether the table is a store's
                self._view = View(dataset, scan(dataset, view.index), shape)

    def _commit(self, trajectories: Sequence[Trajectory], shape: tuple[int, ...]) -> lance.LanceDataset:
        before = self.view
        schema = make_schema(shape, compression=self._compression)
        rows = pa.RecordBatchReader.from_batches(schema, [to_batch(each, schema) for each in trajectories])
        mode = "create" if before.dataset is None else "append"
        try:
            with sentences(self._folder, doing="write"):
                return lance.write_dataset(rows, os.fspath(self._folder / TABLE), mode=mode, session=self._session)
        except StoreError:
            self.refresh()  # whatever failed after Lance's commit (a hint file, say) does not undo it
            expected = before.index.num_rows + sum(len(trajectory.frames) for trajectory in trajectories)
            view = self.view
            if view.dataset is None or view.index.num_rows != expected:
                raise
            return view.dataset

    def _merge(self) -> None:
        view = self.view
        assert view.dataset is not None and view.frame_shape is not None
        with sentences(self._folder, doing="write"):
            # An object of its own, since merging moves it on in place while others may be reading.
            dataset = lance.dataset(self._folder / TABLE, session=self._session)
            dataset.optimize.compact_files(
                target_rows_per_fragment=max(1, MERGED_BYTES // int(np.prod(view.frame_shape))),
                compaction_mode="try_binary_copy",
                num_threads=1,
            )
            # Nobody else writes during this process's turn: unreferenced files are left-overs of killed writers.
            dataset.cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)
        self._view = View(dataset, view.index, view.frame_shape)
        self._commits_to_merge = 0

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold both locks, on the newest version."""
        refuse_forked_child()
        with self._thread_lock:
            with sentences(self._folder, doing="write"):
                self._process_lock.acquire()
            try:
                self.refresh()
                yield
            finally:
                self._process_lock.release()


def refuse_forked_child() -> None:
    """Raise where Lance would hang: in a child forked after its parent had used Lance.

    Raises:
        StoreError: this is such a child.
    """
    if _process_of_lance() != os.getpid():
        raise StoreError(
            "expected a trajectory store to be used in the process that opened it, got a forked child; "
            "start processes with 'spawn' or 'forkserver' and open the store in each"
        )


@functools.cache
def _process_of_lance() -> int:
    """The process that Lance's threads live in: the first that asks; a forked child inherits the answer."""
    return os.getpid()
