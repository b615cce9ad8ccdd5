"""IDX files, the format of MNIST: a big-endian header with type and shape, then bytes in C order, often gzipped."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from perma_agent.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
BYTES_MAGIC = b"\0\0\x08"
"""How a header begins where the array is of unsigned bytes, the one type that image sets use; then comes its axes."""


def read_idx(path: Path, *, sha256: str | None = None) -> np.ndarray:
    """Read an array of unsigned bytes.

    The header is two zero bytes, the code of the type, the number of axes n, and n lengths as big-endian uint32.

    Args:
        path: an IDX file, gzipped or not.
        sha256: checksum of the unpacked content, in hexadecimal; not compared by default.

    Returns:
        uint8, of the header's shape; read-only.

    Raises:
        DataError: the file is missing, not the expected one, truncated, or no IDX file of bytes.
    """
    content = read_unpacked(path)
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise DataError(
            f"expected content with SHA-256 {sha256[:12]}… in {path}, got {found[:12]}…, so it is damaged or another "
            "file; remove it and get it again"
        )
    axes = content[3] if len(content) > 3 else 0
    start = 4 + 4 * axes
    if not content.startswith(BYTES_MAGIC) or len(content) < start or not axes:
        raise DataError(
            f"expected an IDX file of unsigned bytes at {path}, got one that begins with "
            f"{content[:4].hex() or 'nothing'}; check that it is the file its name says"
        )
    shape = tuple(np.frombuffer(content, ">u4", count=axes, offset=4).tolist())
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"expected {math.prod(shape):,} bytes for the shape {shape} in {path}, got {len(content) - start:,}; "
            "remove it and get it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_unpacked(path: Path) -> bytes:
    """What is in a file, unpacked if it is gzipped.

    Raises:
        DataError: it cannot be read, or is a gzip file that is truncated or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"expected to read {path}, got an error ({error.strerror}); check the path") from error
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        what = "a truncated" if isinstance(error, EOFError) else "a damaged"
        raise DataError(f"expected a whole gzip file at {path}, got {what} one; remove it and get it again") from error
