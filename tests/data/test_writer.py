"""The background writer: everything arrives, in order; memory is bounded; what goes wrong is heard and tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from perma_agent.data import TrajectoryStore
from perma_agent.data.writer import BackgroundWriter
from perma_agent.errors import StoreError
from perma_agent.types import Trajectory

Counting = Callable[..., Trajectory]


class SlowStore:
    """Stands in a store's place: counts commits, waits for leave to commit, fails on demand."""

    def __init__(self) -> None:
        self.commits: list[list[Trajectory]] = []
        self.leave = threading.Event()
        self.leave.set()
        self.error: Exception | None = None

    def add_many(self, trajectories: Iterable[Trajectory]) -> range:
        assert self.leave.wait(20)
        if self.error is not None:
            raise self.error
        self.commits.append(list(trajectories))
        return range(len(self.commits[-1]))

    @property
    def written(self) -> list[Trajectory]:
        return [trajectory for commit in self.commits for trajectory in commit]


def test_everything_submitted_is_committed_in_order(store: TrajectoryStore, counting: Counting) -> None:
    writer = BackgroundWriter(store)
    for first in range(0, 200, 2):
        writer.submit([counting(first), counting(first + 1)])
    writer.flush()
    assert [store.provenance(n).seed for n in range(len(store))] == list(range(200))
    writer.flush()  # nothing left to do


def test_a_trajectory_is_committed_without_flush(store: TrajectoryStore, counting: Counting) -> None:
    writer = BackgroundWriter(store)
    for n in range(3):
        writer.submit([counting(n)])
        deadline = time.monotonic() + 20
        while len(store) <= n and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(store) == n + 1


def test_many_at_once_share_a_commit(counting: Counting) -> None:
    store = SlowStore()
    store.leave.clear()
    writer = BackgroundWriter(store)
    for n in range(50):
        writer.submit([counting(n)])
    store.leave.set()
    writer.flush()
    assert [trajectory.provenance.seed for trajectory in store.written] == list(range(50))
    assert len(store.commits) <= 3


def test_submit_waits_when_too_much_is_pending(counting: Counting) -> None:
    store = SlowStore()
    store.leave.clear()
    size = counting(0).frames.nbytes
    writer = BackgroundWriter(store, pending_bytes=3 * size)
    submitted = []

    def submit() -> None:
        for n in range(10):
            writer.submit([counting(n)])
            submitted.append(n)

    thread = threading.Thread(target=submit)
    thread.start()
    deadline = time.monotonic() + 20
    while len(submitted) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)
    assert len(submitted) == 3  # the fourth waits
    store.leave.set()
    thread.join(20)
    writer.flush()
    assert len(submitted) == len(store.written) == 10


@pytest.mark.parametrize("error", [StoreError("a full disk"), ValueError("not JSON")])
def test_errors_come_out_in_the_callers_thread_and_nothing_is_lost(counting: Counting, error: Exception) -> None:
    store = SlowStore()
    store.error = error
    writer = BackgroundWriter(store)
    writer.submit([counting(0)])
    with pytest.raises(type(error), match=str(error)):
        writer.flush()
    writer.check()  # it is told once
    store.error = StoreError("still full")
    with pytest.raises(StoreError, match="still full"):
        writer.flush()
    store.error = None
    writer.submit([counting(1)])  # tries again
    writer.flush()
    assert [trajectory.provenance.seed for trajectory in store.written] == [0, 1]


def test_check_tells_what_went_wrong_meanwhile(counting: Counting) -> None:
    store = SlowStore()
    store.error = StoreError("a full disk")
    writer = BackgroundWriter(store)
    writer.check()
    writer.submit([counting(0)])
    deadline = time.monotonic() + 20
    with pytest.raises(StoreError, match="a full disk"):
        while time.monotonic() < deadline:
            writer.check()
            time.sleep(0.005)
    writer.check()


def test_the_interpreter_waits_for_the_writer(tmp_path: object, counting: Counting) -> None:
    store = SlowStore()
    store.leave.clear()
    writer = BackgroundWriter(store)
    writer.submit([counting(0)])
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "trajectory-writer")
    assert not thread.daemon  # so Python joins it at exit, after the last line of a script that never closed its level
    store.leave.set()
    thread.join(20)
    assert len(store.written) == 1
    np.testing.assert_array_equal(store.written[0].frames, counting(0).frames)


def test_a_failure_is_told_once(counting: Counting) -> None:
    """The thread that failed is gone when the error comes out: it does not try, and fail, once more by itself."""
    store = SlowStore()
    store.error = StoreError("a full disk")
    for n in range(30):
        writer = BackgroundWriter(store)
        writer.submit([counting(n)])
        with pytest.raises(StoreError, match="a full disk"):
            writer.flush()
        time.sleep(0.002)
        writer.check()
