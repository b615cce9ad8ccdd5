"""Ctrl-C and SIGTERM as a question that a verb asks between two steps, so that it ends whole and saved."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Hold back Ctrl-C and SIGTERM while the block runs; a second signal works as it always does.

    Python lets only the main thread handle signals; in another one nothing is held back.

    Yields:
        A function that tells whether either came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        for held, handler in before.items():
            signal.signal(held, handler)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_stopped(what: str) -> None:
    """Tell on stderr that a verb was stopped and what it leaves behind."""
    sys.stderr.write(f"perma-agent: stopped as asked; {what}\n")
