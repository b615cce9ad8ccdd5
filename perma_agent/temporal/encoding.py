"""Codes: what a trained host says of many frames, in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from perma_agent.errors import FrameError
from perma_agent.temporal.host import Host
from perma_agent.types import Posterior, check_frames

FRAMES_AT_ONCE = 512
"""Frames encoded in one pass."""


@torch.no_grad()
def posteriors(host: Host[Any], frames: np.ndarray, *, frames_at_once: int = FRAMES_AT_ONCE) -> Posterior:
    """Posterior of each frame on the CPU, computed in float32 even while the host trains in bfloat16.

    Args:
        host: any arm.
        frames: uint8, shape `[N, C, H, W]`, or sequences `[B, T, C, H, W]`, which a host with memory reads from their
            first frame on; a single frame is a sequence of one to it.
        frames_at_once: frames in one pass; a sequence is never cut.

    Returns:
        Rows in the order of the frames, `[N, D]`; of sequences `[B T, D]`.

    Raises:
        FrameError: the frames do not fit, or there are none.
    """
    if frames.ndim not in (4, 5) or not len(frames):
        raise FrameError(
            f"expected frames [N, C, H, W] or sequences [B, T, C, H, W], at least one, got shape {frames.shape}"
        )
    check_frames(frames, ndim=frames.ndim)
    rows = max(1, frames_at_once // (frames.shape[1] if frames.ndim == 5 else 1))
    autocast, host.autocast = host.autocast, False
    try:
        parts = [
            host.posterior(torch.from_numpy(np.ascontiguousarray(frames[start : start + rows])))
            for start in range(0, len(frames), rows)
        ]
    finally:
        host.autocast = autocast
    mean = torch.cat([part.mean.float().cpu() for part in parts])
    return Posterior(mean, torch.cat([part.log_variance.float().cpu() for part in parts]))


def codes(host: Host[Any], frames: np.ndarray, *, frames_at_once: int = FRAMES_AT_ONCE) -> np.ndarray:
    """Posterior means, float32, shape `[N, D]`, or `[B, T, D]` of sequences; see `posteriors`."""
    means: np.ndarray = posteriors(host, frames, frames_at_once=frames_at_once).mean.numpy()
    return means.reshape(*frames.shape[:-3], -1)
