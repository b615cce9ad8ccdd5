"""Getting a file from a server: checked by its checksum and renamed into place, whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from perma_agent.data.idx import read_unpacked
from perma_agent.errors import DataError

Progress = Callable[[str, int, int], None]
"""Told the file's name, the bytes that have come, and the bytes there are (0 where the server does not say)."""
CHUNK_BYTES = 2**16
TURN_SECONDS = 600.0
"""How long to wait for another process that is downloading the same file."""


def download(url: str, target: Path, *, sha256: str, timeout: float = 30.0, progress: Progress | None = None) -> None:
    """Download a file unless it is there; processes that want the same one take turns, and one downloads it.

    It is written beside `target` with the ending `.part`, which is removed whatever happens; only a kill leaves it
    behind, and the next download writes over it.

    Args:
        url: where it is.
        target: where it goes; folders are made.
        sha256: checksum its content must have when unpacked, in hexadecimal: mirrors pack the same content anew.
        timeout: most seconds without an answer.
        progress: called after every 64 KiB.

    Raises:
        DataError: the server cannot be reached or sent something else, or `target` cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f"{target.name}.lock"), timeout=TURN_SECONDS):
            if target.is_file():
                return
            try:
                _fetch(url, part, target, sha256=sha256, timeout=timeout, progress=progress)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    except filelock.Timeout as error:
        raise DataError(
            f"expected to download {url}, got no turn within {TURN_SECONDS:.0f} s; end the process that holds "
            f"{error.lock_file}"
        ) from error
    except OSError as error:
        raise DataError(
            f"expected to write {target}, got an error ({error.strerror or error}); check its folder's owner and space"
        ) from error


def _fetch(url: str, part: Path, target: Path, *, sha256: str, timeout: float, progress: Progress | None) -> None:
    """Write what the server sends to `part`, and refuse it if it is not what was expected."""
    done = total = 0
    with part.open("wb") as file:
        for chunk, total in _chunks(url, target, timeout):
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(target.name, done, total)
    if done < total:
        raise DataError(f"expected {total:,} bytes from {url}, got the first {done:,}; check the network and try again")
    found = _content(part)
    if found != sha256:
        raise DataError(
            f"expected content with SHA-256 {sha256[:12]}… from {url}, got {found[:12]}… in {done:,} bytes; check the "
            f"network (a login page?), or put the right file at {target} yourself"
        )


def _content(part: Path) -> str:
    """Checksum of what is in a file; of the file itself if it cannot be unpacked."""
    try:
        return hashlib.sha256(read_unpacked(part)).hexdigest()
    except DataError:
        return hashlib.sha256(part.read_bytes()).hexdigest()


def _chunks(url: str, target: Path, timeout: float) -> Iterator[tuple[bytes, int]]:
    """Parts of the answer, each with the length of the whole; what goes wrong between becomes one sentence."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            total = int(response.headers.get("Content-Length", 0))
            while chunk := response.read(CHUNK_BYTES):
                yield chunk, total
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(
            f"expected to download {url}, got {_reason(error, timeout)}; check the network, or put the file at "
            f"{target} yourself"
        ) from error


def _reason(error: Exception, timeout: float) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    said = getattr(cause, "strerror", None) or str(cause)
    return f"no answer ({' '.join(said.split()) or type(cause).__name__})"
