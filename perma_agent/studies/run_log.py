"""Run log: what a learner reports, as `metrics.jsonl` and TensorBoard events in its run folder."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from perma_agent.continual import Update
from perma_agent.errors import RunFolderError

METRICS = "metrics.jsonl"
"""One JSON object a line: `step`, `opened`, and the update's metrics by name; what is not a number is null."""


class RunLog:
    """Writes every so many updates, and every one with which an environment changed or opened.

    Args:
        folder: a run folder, which exists.
        step: batches that its learner has seen; what a killed process logged beyond that is dropped, since the learner
            will see those batches again.
        every: updates from one line to the next.

    Raises:
        RunFolderError: `metrics.jsonl` is something else, or cannot be written.
    """

    def __init__(self, folder: str | Path, *, step: int, every: int = 10) -> None:
        path = Path(folder) / METRICS
        try:
            if path.exists():
                _drop_beyond(path, step=step)
            self._lines = path.open("a", encoding="utf-8")
            self._events = SummaryWriter(str(folder), purge_step=step + 1)
        except OSError as error:
            raise RunFolderError(f"expected to write {path}, got: {error.strerror}; check its permissions") from error
        self._every = every
        self._environment: int | None = None

    def __call__(self, update: Update) -> None:
        """Write the update if it is its turn."""
        changed = update.environment is not None and update.environment != self._environment
        if update.environment is not None:
            self._environment = update.environment
        if not changed and update.step % self._every:
            return
        finite = {name: value if math.isfinite(value) else None for name, value in update.metrics.items()}
        self._lines.write(json.dumps({"step": update.step, "opened": update.opened, **finite}) + "\n")
        for name, value in finite.items():
            if value is not None:
                self._events.add_scalar(f"vase/{name}", value, update.step)

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._lines.flush()
        self._events.flush()

    def close(self) -> None:
        """Write the rest and close the files."""
        self._lines.close()
        self._events.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _drop_beyond(path: Path, *, step: int) -> None:
    """Cut the file before the first line of a later step, and a last line that was not finished."""
    kept = 0
    with path.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            try:
                beyond = json.loads(line)["step"] > step
            except (ValueError, KeyError, TypeError) as error:
                raise RunFolderError(f"expected one JSON object a line in {path}, got another file; move it") from error
            if beyond:
                break
            kept += len(line)
        file.truncate(kept)
