"""A folder of compiled DMLab maps, so that a map that was met before need not be compiled again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from perma_agent.errors import LevelError


class LevelCache:
    """What the engine calls `level_cache`; several processes may share a folder."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Use a folder, made if it is missing.

        Raises:
            LevelError: when it cannot be made.
        """
        self.folder = Path(folder).expanduser()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LevelError(f"expected level_cache to be a folder that can be made, got {folder} ({error})") from error

    def fetch(self, key: str, pk3_path: str) -> bool:
        """Copy the map of a key to where the engine wants it; False when it was never written."""
        try:
            shutil.copyfile(self._path(key), pk3_path)
        except FileNotFoundError:
            return False
        return True

    def write(self, key: str, pk3_path: str) -> None:
        """Keep the map that the engine has just compiled; whole or not at all."""
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as target, Path(pk3_path).open("rb") as source:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            Path(temporary).replace(self._path(key))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _path(self, key: str) -> Path:
        """Of the key's digest: a key may hold what a file name may not."""
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.pk3"
