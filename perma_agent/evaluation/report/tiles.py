"""Tiles: a sheet of small frames as one line of text and back, so that JSON can carry pictures without loss."""

from __future__ import annotations

import base64
import binascii

import numpy as np

from perma_agent.errors import FrameError
from perma_agent.types import check_frames

PNG_BEGINS = b"\x89PNG\r\n\x1a\n"


def tiles_to_text(frames: np.ndarray) -> str:
    """The frames side by side in R rows and K columns, as a PNG in base64.

    Args:
        frames: uint8, grey or RGB, shape `[R, K, C, H, W]`, none of these 0.

    Returns:
        Text from which `tiles_from_text` makes the very same frames.

    Raises:
        FrameError: what are no frames.
    """
    import cv2

    check_frames(frames, ndim=5)
    if not frames.size:
        raise FrameError(f"expected frames of shape [R, K, C, H, W] and none of these 0, got {frames.shape}")
    rows, columns, channels, height, width = frames.shape
    sheet = frames.transpose(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    done, encoded = cv2.imencode(".png", sheet[..., ::-1].copy(), [cv2.IMWRITE_PNG_COMPRESSION, 9])  # of BGR
    if not done:
        raise FrameError(f"expected frames that a PNG can hold, got {frames.shape}; make them fewer or smaller")
    return base64.b64encode(encoded.tobytes()).decode("ascii")


def tiles_from_text(text: str, *, rows: int, columns: int) -> np.ndarray:
    """The frames of `tiles_to_text`.

    Args:
        text: a PNG in base64.
        rows: R, as many as were put in.
        columns: K.

    Returns:
        uint8, shape `[R, K, C, H, W]`.

    Raises:
        FrameError: the text is no such PNG, or its sheet cannot be cut into so many rows and columns.
    """
    sheet = _decoded(text)
    height, width, channels = sheet.shape
    if min(rows, columns) < 1 or height % rows or width % columns:
        raise FrameError(
            f"expected a sheet of {rows} rows and {columns} columns of frames, got one of {height} x {width} pixels; "
            "pass the numbers that it was made with"
        )
    tiles = sheet.reshape(rows, height // rows, columns, width // columns, channels)
    return np.ascontiguousarray(tiles.transpose(0, 2, 4, 1, 3))


def _decoded(text: str) -> np.ndarray:
    """The sheet, uint8, `[H, W, C]`, C being 1 or 3 (RGB)."""
    import cv2

    damaged = "expected a PNG in base64, got damaged or other text; write it again with tiles_to_text"
    try:
        encoded = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise FrameError(damaged) from error
    if not encoded.startswith(PNG_BEGINS):  # cv2 reads other formats too, such as JPEG, which keeps no frame as it was
        raise FrameError(damaged)
    sheet = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)
    if sheet is None:
        raise FrameError(damaged)
    sheet = sheet[..., None] if sheet.ndim == 2 else sheet[..., ::-1]  # BGR as cv2 has it, to RGB
    check_frames(sheet, ndim=3, channels_last=True)
    return np.asarray(sheet)
