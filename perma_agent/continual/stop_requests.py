"""Ctrl-C and SIGTERM as a question that is asked between two steps, so that work ends whole and saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class stop_requests:
    """Hold back Ctrl-C and SIGTERM while the block runs; a second signal works as it always does.

    Entered, it gives a function that tells whether either came. Python lets only the main thread handle signals; in
    another one nothing is held back.

    Example:
        >>> with stop_requests() as stopped:
        ...     stopped()
        False
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Callable[[], bool]:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return lambda: bool(self._came)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append(number)
        for held, handler in self._before.items():
            signal.signal(held, handler)
