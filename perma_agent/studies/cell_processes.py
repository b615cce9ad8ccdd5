"""Measuring several cells at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.managers import SyncManager

import torch

from perma_agent.errors import PermaAgentError
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell

LOOK = 0.5
"""Seconds between two looks at the progress of the processes."""


def measure_in_processes(
    cells: Sequence[PlannedCell], *, processes: int, advance: Advance
) -> Iterator[tuple[PlannedCell, Measured, float]]:
    """Measure cells side by side; each process has one thread and is spawned, not forked.

    Args:
        cells: in the order in which they are begun; their `measure` must be picklable.
        processes: how many at once.
        advance: told of the work done.

    Yields:
        A cell, what it gave, and the seconds it took, as soon as it is done.

    Raises:
        PermaAgentError: a process died; what was yielded before is not lost.
    """
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(initializer=_prepare, initargs=(os.getpid(),))
    with manager:
        done: queue.Queue[float] = manager.Queue()
        workers = min(processes, len(cells))
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare, initargs=(os.getpid(),))
        try:
            running = {pool.submit(_measure, cell, done): cell for cell in cells}
            while running:
                finished, _ = wait(running, timeout=LOOK, return_when=FIRST_COMPLETED)
                _pass_on(done, advance)
                for future in sorted(finished, key=lambda ended: ended.exception() is not None):  # keep before we fail
                    measured, seconds = future.result()
                    yield running.pop(future), measured, seconds
        except BrokenProcessPool as error:
            raise PermaAgentError(
                "expected the processes to live, got one that died (out of memory, or killed); run the same command "
                "again: what is done is kept"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                if process.name.startswith("SpawnProcess"):
                    process.terminate()


def _prepare(parent: int) -> None:
    """One thread, and an end with the parent: a worker whose parent was killed would compute for nobody."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)


def _measure(cell: PlannedCell, done: queue.Queue[float]) -> tuple[Measured, float]:
    began, told = time.perf_counter(), _ToldNowAndThen(done)
    measured = cell.measure(told)
    told.tell()
    return measured, time.perf_counter() - began


class _ToldNowAndThen:
    """Adds work up and passes it on every `LOOK` seconds: each message wakes two other processes."""

    def __init__(self, done: queue.Queue[float]) -> None:
        self._done, self._work, self._last = done, 0.0, time.perf_counter()

    def __call__(self, work: float) -> None:
        self._work += work
        if time.perf_counter() - self._last >= LOOK:
            self.tell()

    def tell(self) -> None:
        """Pass on what is left."""
        self._done.put(self._work)
        self._work, self._last = 0.0, time.perf_counter()


def _pass_on(done: queue.Queue[float], advance: Advance) -> None:
    work = 0.0
    while True:
        try:
            work += done.get_nowait()
        except queue.Empty:
            break
    if work:
        advance(work)
