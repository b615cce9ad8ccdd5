"""The demo's folder: an earlier demo in it is replaced, anything else is left alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from perma_agent.errors import RunFolderError

PARTS = ("trajectories-indoor", "trajectories-outdoor", "vase", "tensorboard", "report.html", "summary.json")
"""What a demo writes, in that order: the first is there wherever a demo has begun."""


def claim(folder: Path) -> None:
    """Make the folder ready for a demo.

    Args:
        folder: new, empty, or of an earlier demo, whose parts are removed.

    Raises:
        RunFolderError: the folder holds something that is of no demo, or is a file, and then nothing is removed; or it
            cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"expected a folder for the demo, got the file {folder}; name another with --folder")
    try:
        found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        # Other names are common: without the first part, `runs/` with somebody's `vase` in it would look like a demo.
        foreign = [name for name in found if name not in PARTS or PARTS[0] not in found]
        if foreign:
            raise RunFolderError(
                f"expected a new folder or one of an earlier demo, got {folder} with {', '.join(foreign[:3])} in it; "
                "name another with --folder"
            )
        for path in (folder / name for name in reversed(PARTS) if name in found):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(
            f"expected to write to {folder}, got: {error.strerror}; name another with --folder"
        ) from error
