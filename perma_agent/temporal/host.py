"""Host: what any network is asked that learns a code from frames in time, so that a study can loop over arms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from perma_agent.errors import FrameError
from perma_agent.temporal.network import NetworkConfig
from perma_agent.types import FramePairs, Posterior, check_frames

Batch = TypeVar("Batch")
"""What a host learns from: `FramePairs`, or `FrameSequences`."""


@dataclass(frozen=True)
class Summands:
    """What one batch costs a host, and what its code did meanwhile."""

    terms: Mapping[str, Tensor]
    """Values per frame, pair or whatever a term is of, by name, each of shape `[B_k]`."""
    weights: Mapping[str, float]
    """A weight for each term at this step."""
    codes: Tensor
    """Posterior means of all frames of the batch, without gradient, shape `[N, D]`."""
    change: Tensor
    """Δ = μ(I_t) - μ(I_{t-o}) of its pairs, without gradient, shape `[P, D]`; P = 0 where nothing has a time."""


class Host(nn.Module, ABC, Generic[Batch]):
    """A network that learns a code from batches of frames in time.

    Args:
        network: sizes, kept as `network`.
    """

    autocast: bool = False
    """Whether the networks run in bfloat16; `train` sets it while it trains. Losses are always float32."""

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def summands(self, batch: Batch, *, step: int, generator: torch.Generator) -> Summands:
        """Terms and weights of one batch.

        Args:
            batch: uint8 frames of the kind this host learns from.
            step: learning steps so far, this one included; schedules go by it.
            generator: all noise comes from here; on the host's device.

        Raises:
            FrameError: the frames do not fit.
        """

    @abstractmethod
    def posterior(self, frames: Tensor) -> Posterior:
        """Posterior of each frame, shape `[N, D]`.

        Args:
            frames: uint8, shape `[N, C, H, W]`, or `[B, T, C, H, W]` of which the rows come out in order, N = B T.

        Raises:
            FrameError: the frames do not fit.
        """

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        device: torch.device = next(self.parameters()).device
        return device

    def precision(self) -> torch.autocast:
        """The context in which the networks run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

    def normalise(self, frames: Tensor | np.ndarray) -> Tensor:
        """Turn uint8 frames `[..., C, H, W]` into floats in [0, 1] of shape `[N, C, H, W]` on the host's device.

        Raises:
            FrameError: naming what was expected and what was found.
        """
        if isinstance(frames, np.ndarray):
            frames = torch.from_numpy(np.ascontiguousarray(frames))
        size = self.network.image_size
        if frames.ndim not in (4, 5) or tuple(frames.shape[-3:]) != (self.network.channels, size, size):
            raise FrameError(
                f"expected frames of shape [N, {self.network.channels}, {size}, {size}], or as many in sequences "
                f"[B, T, ...], got {tuple(frames.shape)}; set NetworkConfig.channels and image_size"
            )
        flat = frames.flatten(0, -4)
        check_frames(flat, ndim=4)
        return flat.to(self.device).float().div_(255.0).contiguous(memory_format=torch.channels_last)


def joined(pairs: FramePairs, *, host: str) -> np.ndarray:
    """Both frames of each pair in one array, the later ones first, uint8 `[2 B, C, H, W]`.

    Raises:
        FrameError: there are no pairs, or the frames have no time.
    """
    if not len(pairs) or len(pairs.earlier) != len(pairs.frames):
        got = "frames of no trajectory" if len(pairs) else "none"
        raise FrameError(f"expected pairs of frames for {host}, got {got}; draw them from a store or a world in time")
    return np.concatenate([pairs.frames, pairs.earlier])


def halves(posterior: Posterior) -> tuple[Posterior, Posterior]:
    """Posteriors of the later and of the earlier frames, each `[B, D]`, out of those of `joined` pairs, `[2 B, D]`."""
    half = len(posterior.mean) // 2
    first = Posterior(posterior.mean[:half], posterior.log_variance[:half])
    return first, Posterior(posterior.mean[half:], posterior.log_variance[half:])
