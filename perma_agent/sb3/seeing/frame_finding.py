"""Frame finding: where the pictures stand in a space of observations, and how many frames each of them is."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from perma_agent.errors import FrameError
from perma_agent.models import VASEConfig


def picture_key(space: spaces.Dict, key: str | None) -> str:
    """The entry that is the picture: the one named, or the only one with height and width."""
    if key is not None:
        if key not in space.spaces:
            raise FrameError(f"expected frame_key to be one of {list(space)}, got {key!r}")
        return key
    pictures = [name for name, part in space.items() if isinstance(part, spaces.Box) and len(part.shape) >= 2]
    if len(pictures) == 1:
        return str(pictures[0])
    got = " and ".join(map(repr, pictures)) if pictures else f"none among {list(space)}"
    advice = "name one with frame_key" if pictures else "observe a picture or leave out the VASE"
    raise FrameError(f"expected one picture among the observation's entries, got {got}; {advice}")


def axes_of(space: spaces.Box) -> str:
    """What the 2 to 4 axes of a picture are, as letters of `CHW`, with K before them for a stack of its own."""
    if len(space.shape) == 2:
        return "HW"
    if len(space.shape) == 4:
        return "KHWC" if space.shape[-1] in (1, 3) else "KCHW"
    return "CHW" if int(np.argmin(space.shape)) == 0 else "HWC"  # SB3's rule, by which it moves channels


def stack_of(shape: tuple[int, ...], axes: str, *, model: VASEConfig, frame_channels: int | None) -> tuple[int, int]:
    """Frames in a picture, and channels of each."""
    total = 1 if axes == "HW" else shape[axes.index("C")]
    if axes.startswith("K"):
        if total not in (1, 3) or frame_channels not in (None, total):
            wanted = "1 or 3" if frame_channels is None else frame_channels
            raise FrameError(f"expected {wanted} channels in each frame of the stack, got {total} in {list(shape)}")
        return shape[0], total
    channels = frame_channels or (total if total in (1, 3) else model.channels)
    if total % channels:
        other = 1 if channels == 3 else 3
        raise FrameError(
            f"expected frames of {channels} channels, one or stacked, got {total} channels in {list(shape)}; "
            f"pass frame_channels={other} if they are frames of {other}, or observe RGB or grey frames"
        )
    return total // channels, channels


def whitest_of(space: spaces.Box) -> float:
    """The largest value of a pixel, 1 or 255."""
    low, high = float(np.min(space.low)), float(np.max(space.high))
    if low >= 0 and high <= 1:
        return 1.0
    if low < 0 or (high != 255 if np.issubdtype(space.dtype, np.floating) else high > 255):
        raise FrameError(
            f"expected pixels in [0, 255] or [0, 1], got {space.dtype} in [{low:g}, {high:g}]; "
            "do not normalise observations (VecNormalize needs norm_obs=False, or norm_obs_keys without the frame)"
        )
    return 255.0
