"""The demo's folder: an earlier demo in it is replaced, anything else is left alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from perma_agent.errors import RunFolderError

PARTS = ("trajectories-indoor", "trajectories-outdoor", "vase", "tensorboard", "report.html", "summary.json")
"""What a demo writes."""


def claim(folder: Path) -> None:
    """Make the folder ready for a demo.

    Args:
        folder: new, empty, or of an earlier demo, whose parts are removed.

    Raises:
        RunFolderError: the folder holds something that a demo does not write, or is a file; nothing is removed then.
    """
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"expected a folder for the demo, got the file {folder}; name another with --folder")
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in PARTS) if folder.exists() else []
    if foreign:
        raise RunFolderError(
            f"expected a new folder or one of an earlier demo, got {folder} with {', '.join(foreign[:3])} in it; "
            "name another with --folder"
        )
    for part in PARTS:
        path = folder / part
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
