"""Progress bars on stderr, for whatever takes longer than two seconds; stdout stays free for results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Advance(Protocol):
    """What a bar gives: call it after each piece of work."""

    def __call__(self, steps: float = 1, *, note: str = "") -> None:
        """Move the bar.

        Args:
            steps: how much was done since the last call, in the bar's own unit.
            note: a few words to show behind the bar, e.g. the loss; the last one stays.
        """


@contextmanager
def progress_bar(label: str, *, total: float | None, console: Console | None = None) -> Iterator[Advance]:
    """A bar with the time that has passed and the time that is left, drawn as soon as something was done.

    So what fails before the first step is told in its one sentence and nothing else. Where stderr is no terminal, only
    the finished bar is written, as one line.

    Args:
        label: what is being done, e.g. `recording`.
        total: how many steps there are, or None where nobody knows.
        console: where to draw; stderr by default.

    Yields:
        A function to call with the steps done.

    Example:
        >>> with progress_bar("counting", total=3, console=Console(quiet=True)) as advance:
        ...     for number in range(3):
        ...         advance(note=f"at {number}")
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console or Console(stderr=True),
    )
    task = bar.add_task(label, total=total, note="")

    def advance(steps: float = 1, *, note: str = "") -> None:
        bar.start()
        bar.update(task, advance=steps)
        if note:
            bar.update(task, note=note)

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()
