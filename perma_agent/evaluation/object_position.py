"""Where the one object of a frame stands, read off its pixels without any learning."""

from __future__ import annotations

import numpy as np

from perma_agent.types import check_frames

FAINT = 0.1
"""Share of the pixel range by which a frame's farthest pixel must differ from its background to count as an object."""
SILHOUETTE = 0.4
"""A pixel belongs to the object if it is this share as far from the background as the farthest pixel is."""
TAIL = 0.05
"""Share of the silhouette left out at each end of each axis, so that neither a stray pixel nor a thin limb decides."""


def object_positions(frames: np.ndarray) -> np.ndarray:
    """The centre of each frame's one object, before a plain background, dark or light.

        silhouette m(u) = 1[ |x(u) - b| >= 0.4 max_u |x(u) - b| ],   b the median of the frame's border
        position = middle between the 5% and the 95% quantile of the silhouette, along each axis

    Of what was tried on MNIST and Fashion with known places (32×32 pixels, objects of 14; sharp, blurred, or under a
    haze), this errs about alike for both: by 0.6 to 0.9 pixels. The centroid of the intensity errs by 0.4 to 0.6 on
    digits but 0.9 to 1.4 on clothing, whose mass is uneven, and by several under a haze; a bounding box by 0.7 on
    digits, and wherever a stray pixel lies. It is of no use before a textured background or with several objects.

    Args:
        frames: uint8, shape `[B, C, H, W]`.

    Returns:
        (x, y) in pixels, 0 the middle of the first column or row, float64 `[B, 2]`; NaN where there is no object.

    Raises:
        FrameError: these are no frames.
    """
    check_frames(frames, ndim=4)
    apart = np.abs(frames - backgrounds(frames)[:, :, None, None]).mean(axis=1)
    farthest = apart.max(axis=(1, 2))
    silhouette = apart >= SILHOUETTE * farthest[:, None, None]
    places = np.stack([_middle(silhouette.sum(axis=1)), _middle(silhouette.sum(axis=2))], axis=1)
    places[farthest < FAINT * 255] = np.nan
    return places


def backgrounds(frames: np.ndarray) -> np.ndarray:
    """The median of each frame's border, by channel, float64 `[B, C]`: an object may touch less than half of it."""
    sides = (frames[..., 0, :], frames[..., -1, :], frames[..., :, 0], frames[..., :, -1])
    median: np.ndarray = np.median(np.concatenate(sides, axis=2), axis=2)
    return median


def shift_frames(frames: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Move each frame as a whole, filling in its background.

    Args:
        frames: uint8, shape `[B, C, H, W]`.
        by: (x, y) in pixels, to the right and downward, rounded; shape `[B, 2]`.

    Returns:
        uint8, of the frames' shape; what leaves the frame is lost.
    """
    height, width = frames.shape[2:]
    whole = np.rint(by).astype(np.int64)
    moved = np.empty_like(frames)
    for place, (x, y) in enumerate(np.clip(whole, (-width, -height), (width, height))):
        moved[place] = np.rint(backgrounds(frames[place, None])[0])[:, None, None]
        to_y, to_x = slice(max(y, 0), height + min(y, 0)), slice(max(x, 0), width + min(x, 0))
        from_y, from_x = slice(max(-y, 0), height - max(y, 0)), slice(max(-x, 0), width - max(x, 0))
        moved[place, :, to_y, to_x] = frames[place, :, from_y, from_x]
    return moved


def _middle(counts: np.ndarray) -> np.ndarray:
    """Middle between the two tails of histograms `[B, L]`, in bins, each bin from its number - ½ to + ½; `[B]`."""
    share = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
    ends = [_quantile(share, counts, level) for level in (TAIL, 1 - TAIL)]
    middle: np.ndarray = np.mean(ends, axis=0)
    return middle


def _quantile(share: np.ndarray, counts: np.ndarray, level: float) -> np.ndarray:
    rows = np.arange(len(share))
    inside = (share >= level).argmax(axis=1)
    within = counts[rows, inside] / counts.sum(axis=1)
    quantile: np.ndarray = inside + 0.5 - (share[rows, inside] - level) / within
    return quantile
