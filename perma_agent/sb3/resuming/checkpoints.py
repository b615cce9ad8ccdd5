"""Checkpoints: a folder that keeps an agent's last few and its best, each there whole or not at all.

A checkpoint is written into `.<steps>.part` and takes its name, the number of timesteps, in one rename. One of the same
name is first renamed to `.<steps>.old`: whoever finds that without its successor renames it back. So at every moment
there is a whole checkpoint, whatever kills the writer; what it left behind is removed by the next.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from perma_agent.errors import RunFolderError
from perma_agent.sb3.resuming.checkpoint import RUN, STATE

PART, OLD = ".part", ".old"
T = TypeVar("T")


class DamagedCheckpointWarning(UserWarning):
    """A checkpoint could not be read, and the one before it takes its place."""


class Checkpoints:
    """The checkpoints in a folder, by timesteps.

    Args:
        folder: made with the first checkpoint.
        keep: so many of the newest stay; the one with the highest mean return stays beside them.
    """

    def __init__(self, folder: str | Path, *, keep: int = 3) -> None:
        if keep < 1:
            raise ValueError(f"expected to keep at least one checkpoint, got {keep}")
        self.folder, self.keep = Path(folder), keep

    def all(self) -> list[int]:
        """Timesteps of the checkpoints, ascending; they are not read."""
        if not self.folder.is_dir():
            return []
        names = {path.name for path in self.folder.iterdir() if path.is_dir()}
        whole = {int(name) for name in names if name.isdecimal()}
        waiting = {int(name[1 : -len(OLD)]) for name in names if name.endswith(OLD) and name[1 : -len(OLD)].isdecimal()}
        return sorted(whole | waiting)

    def path(self, timesteps: int) -> Path:
        """Folder of a checkpoint."""
        path, old = self.folder / str(timesteps), self.folder / f".{timesteps}{OLD}"
        return path if path.exists() or not old.exists() else old

    def best(self) -> int | None:
        """Timesteps of the checkpoint with the highest mean return, the newest of equal ones; None if none has any."""
        scored = [(value, steps) for steps in self.all() if (value := self._return(steps)) is not None]
        return max(scored)[1] if scored else None

    def add(self, timesteps: int, write: Callable[[Path], None]) -> Path:
        """Write a checkpoint, and remove those that are not to be kept.

        Args:
            timesteps: of the agent.
            write: fills a new folder.

        Raises:
            RunFolderError: it cannot be written; those that were there are intact.
        """
        part, old = (self.folder / f".{timesteps}{ending}" for ending in (PART, OLD))
        place = self.folder / str(timesteps)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(part, ignore_errors=True)
            write(part)
            _sync(part)
            if place.exists():
                shutil.rmtree(old, ignore_errors=True)
                place.rename(old)
            part.rename(place)
            _sync(self.folder)
            self._tidy()
        except OSError as error:
            raise RunFolderError(
                f"expected to write a checkpoint into {self.folder}, got: {error.strerror or error}; free space or "
                "choose another folder (the checkpoints that were there are not lost)"
            ) from error
        return place

    def newest(self, read: Callable[[Path], T]) -> T | None:
        """The newest checkpoint that can be read; None where there is none.

        Args:
            read: of a checkpoint's folder; raises RunFolderError where it is damaged.

        Warns:
            DamagedCheckpointWarning: for each that is passed over.

        Raises:
            RunFolderError: there are some, and all are damaged.
        """
        last: RunFolderError | None = None
        for timesteps in reversed(self.all()):
            try:
                found = read(self.path(timesteps))
            except RunFolderError as error:
                last = error
                told = (
                    f"checkpoint {timesteps} in {self.folder} cannot be read, the one before takes its place: {error}"
                )
                warnings.warn(told, DamagedCheckpointWarning, stacklevel=2)
            else:
                return found
        if last is not None:
            raise RunFolderError(
                f"expected a whole checkpoint in {self.folder}, got none ({last}); restore one, or begin anew in "
                "another folder"
            ) from last
        return None

    def _tidy(self) -> None:
        steps = self.all()
        kept = {*steps[-self.keep :], self.best()}
        for path in self.folder.iterdir():
            leftover = path.name.startswith(".") and path.name.endswith((PART, OLD))
            if leftover or (path.name.isdecimal() and int(path.name) not in kept):
                shutil.rmtree(path, ignore_errors=True)

    def _return(self, timesteps: int) -> float | None:
        try:
            state: Any = json.loads((self.path(timesteps) / RUN / STATE).read_text())
            value = state["mean_return"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return value if isinstance(value, float) else None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
