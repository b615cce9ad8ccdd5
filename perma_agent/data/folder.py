"""The folder of a trajectory store: its marker file, its lock, and what went wrong said in one sentence."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import filelock

from perma_agent.errors import StoreError

Compression = Literal["none", "zstd"]
FORMAT = "perma_agent trajectory store"
FORMAT_VERSION = 1
MARKER = "store.json"
LOCK = "writer.lock"
LOCK_SECONDS = 60.0
"""A commit takes milliseconds; whoever holds the lock for longer than this has hung."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """Content of `store.json`: what makes a folder a store."""

    format: str = FORMAT
    """Always `FORMAT`; anything else is a foreign folder."""
    format_version: int = FORMAT_VERSION
    """Raised whenever older code could not read what newer code writes."""
    compression: Compression = "none"
    """How frames are packed: `none` (raw pixels) or `zstd` (each frame by itself, level 1); both lossless."""


def read_marker(path: Path) -> Marker:
    """Read and check `store.json`.

    Raises:
        StoreError: nothing is there, the folder is not a store, or it was damaged or written by a newer version.
    """
    if not path.exists():
        raise StoreError(
            f"expected a trajectory store at {path}, got nothing there; check the path, or record one first"
        )
    if not (path / MARKER).is_file():
        raise StoreError(
            f"expected a trajectory store at {path}, got {'a folder' if path.is_dir() else 'a file'} without {MARKER}; "
            "check the path, or record into a new folder"
        )
    with sentences(path, doing="read"):
        text = (path / MARKER).read_text(encoding="utf-8", errors="replace")
    try:
        fields: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise StoreError(f"expected JSON in {path / MARKER}, got a damaged file ({error}); restore it") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise StoreError(
            f"expected {path / MARKER} to say {FORMAT!r}, got another program's file; choose another folder"
        )
    version = fields.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise StoreError(
            f"expected a store of format {FORMAT_VERSION} or older at {path}, got format {version}; upgrade perma_agent"
        )
    if version != FORMAT_VERSION or fields.get("compression") not in get_args(Compression):
        raise StoreError(f"expected {path / MARKER} as it was written, got {fields}; restore it")
    return Marker(compression=fields["compression"])


def write_marker(path: Path, marker: Marker) -> None:
    """Write `store.json` whole or not at all: temporary file, fsync, rename."""
    temporary = path / f"{MARKER}.{os.getpid()}.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(marker), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path / MARKER)


def begin(path: Path, marker: Marker) -> bool:
    """Make `path` the folder of a new, empty store; False (and nothing changed) where anything is there already.

    Raises:
        StoreError: the folder cannot be written.
    """
    if not _is_vacant(path):
        return False
    with sentences(path, doing="write"):
        path.mkdir(parents=True, exist_ok=True)
        with writer_lock(path):
            if not _is_vacant(path):  # another process was quicker
                return False
            write_marker(path, marker)
    return True


def writer_lock(path: Path) -> filelock.BaseFileLock:
    """The lock that writers of a store take turns under; the system frees it when its holder dies."""
    return filelock.FileLock(path / LOCK, timeout=LOCK_SECONDS, thread_local=False)


@contextmanager
def sentences(path: Path, *, doing: Literal["read", "write"]) -> Iterator[None]:
    """Turn what Lance and the system raise into a `StoreError` of one sentence, the cause chained to it."""
    try:
        yield
    except filelock.Timeout as error:
        raise StoreError(
            f"expected to write to {path}, got no turn within {LOCK_SECONDS:.0f} s; end the process that holds {LOCK}"
        ) from error
    except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:  # the last two: text that was altered
        raise StoreError(_sentence(path, doing, error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what Lance's Rust code raises on files it did not write
            raise
        raise StoreError(_sentence(path, doing, error)) from error


def is_missing_file(error: StoreError) -> bool:
    """Whether a file of the version read has gone: another process has compacted the store meanwhile."""
    return "Not found" in str(error.__cause__)


def _is_vacant(path: Path) -> bool:
    """No folder, an empty one, or what a killed `begin` left behind."""
    if not path.exists():
        return True
    return path.is_dir() and all(
        entry.name == LOCK or (entry.name.startswith(f"{MARKER}.") and entry.suffix == ".tmp")
        for entry in path.iterdir()
    )


def _sentence(path: Path, doing: str, error: BaseException) -> str:
    """What was expected, what was found, what to do."""
    kept = "what was committed before is whole"
    match _system_error(error):
        case "ENOSPC" | "EDQUOT" | "EFBIG":
            return f"expected room to write to {path}, got a full disk or quota; free some space, {kept}"
        case "EROFS" | "EACCES" | "EPERM":
            return f"expected to {doing} {path}, got no permission; check its owner and whether it is mounted read-only"
    detail = re.sub(r",? ?/\S+\.rs:\d+:\d+", "", str(error)).split("\n", maxsplit=1)[0].strip() or type(error).__name__
    if doing == "write":
        return f"expected to write to {path}, got an error ({detail}); nothing was added, {kept}"
    return f"expected the files in {path} as they were written, got damaged or missing ones ({detail}); restore them"


def _system_error(error: BaseException) -> str:
    """Name of the system's error (`ENOSPC` …), also where Lance passes it on as text only; empty if there is none."""
    found = re.search(r"os error (\d+)", str(error))
    number = int(found.group(1)) if found else getattr(error, "errno", None)
    return errno.errorcode.get(number, "") if number is not None else ""
