"""Writing beside the work: finished trajectories go to a store from a thread of their own, in batches."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from perma_agent.data.store import TrajectoryStore
from perma_agent.data.table import refuse_forked_child
from perma_agent.types import Trajectory

PENDING_BYTES = 256 * 2**20
"""Pixels that may wait for the disk; a recorder that is faster than its disk waits as well."""
REST_SECONDS = 0.05
"""The thread's rest after a commit, so that many short episodes share one: at most 20 commits a second, of which each
costs 2-3 ms whatever is in it."""


class BackgroundWriter:
    """Hands trajectories to a store without making the caller wait for the disk.

    The thread lives only while there is something to write, and the interpreter does not exit before it is done. A
    trajectory is committed within a fraction of a second of `submit`; when `flush` returns, all are. If the store
    cannot be written, the trajectories are kept, `check` and `flush` raise in the caller's thread, and the next
    `submit` or `flush` tries again.

    Args:
        store: where to; several writers may share one.
        pending_bytes: most pixels that may wait; `submit` blocks at this.
    """

    def __init__(self, store: TrajectoryStore, *, pending_bytes: int = PENDING_BYTES) -> None:
        self._store = store
        self._limit = pending_bytes
        self._pending: deque[Trajectory] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._hurry = False
        self._error: Exception | None = None

    def submit(self, trajectories: Sequence[Trajectory]) -> None:
        """Have trajectories written; waits while more than `pending_bytes` are not."""
        refuse_forked_child()
        with self._changed:
            self._pending.extend(trajectories)
            self._bytes += sum(trajectory.frames.nbytes for trajectory in trajectories)
            self._start()
            self._changed.wait_for(lambda: self._bytes <= self._limit or self._error is not None)

    def check(self) -> None:
        """Raise what went wrong in the thread, once.

        Raises:
            StoreError: trajectories could not be written; they are kept.
        """
        if self._error is not None:
            self._raise_error()

    def flush(self) -> None:
        """Wait until everything is committed.

        Raises:
            StoreError: it could not be written; it is kept.
        """
        refuse_forked_child()
        with self._changed:
            self._error = None  # flushing is trying again
            self._hurry = True
            self._start()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._pending or self._error is not None)
            self._hurry = False
            self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _start(self) -> None:
        if self._thread is None and self._pending and self._error is None:
            self._thread = threading.Thread(target=self._write, name="trajectory-writer")
            self._thread.start()

    def _write(self) -> None:
        """Commit what is pending until nothing is or it fails; the thread's whole life."""
        while batch := self._take():
            error = self._commit(batch)
            with self._changed:
                if error is not None:
                    self._error, self._thread = error, None
                    self._changed.notify_all()
                    return
                for trajectory in batch:
                    self._pending.popleft()
                    self._bytes -= trajectory.frames.nbytes
                self._changed.notify_all()
                if not self._hurry and self._bytes <= self._limit / 2:
                    self._changed.wait(REST_SECONDS)

    def _take(self) -> list[Trajectory]:
        """All that is pending; nothing ends the thread."""
        with self._changed:
            if not self._pending:
                self._thread = None
            return list(self._pending)

    def _commit(self, batch: list[Trajectory]) -> Exception | None:
        try:
            self._store.add_many(batch)
        except Exception as error:  # of whatever kind: it belongs to the caller's thread, see `check`
            return error
        return None
