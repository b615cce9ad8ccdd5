"""What flows between the rooms: trajectories, pairs of frames and posteriors, checked when made and then frozen.

Shape letters, the same everywhere: `B` batch, `T` actions in a trajectory (it has `T + 1` frames), `D` latents,
`S` environments, `N` parallel levels, `C H W` image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from perma_agent.errors import FrameError

LOG_VARIANCE_LIMIT = 10.0
"""Log-variances are clamped to ±10 (σ between 0.0067 and 148), so that no exponential overflows in float32."""


@dataclass(frozen=True)
class Posterior:
    """The code of a batch of frames: q(z|x) = N(mean, exp(log_variance)), one Gaussian per latent."""

    mean: Tensor
    """μ(x), shape `[B, D]`."""
    log_variance: Tensor
    """log σ²(x), shape `[B, D]`, within ±`LOG_VARIANCE_LIMIT`."""

    def __post_init__(self) -> None:
        if self.mean.ndim != 2 or self.mean.shape != self.log_variance.shape:
            raise ValueError(
                f"expected mean and log_variance of one shape [B, D], "
                f"got {tuple(self.mean.shape)} and {tuple(self.log_variance.shape)}"
            )

    @property
    def std(self) -> Tensor:
        """σ(x), shape `[B, D]`, positive."""
        return torch.exp(0.5 * self.log_variance)

    @property
    def variance(self) -> Tensor:
        """σ²(x), shape `[B, D]`, positive."""
        return torch.exp(self.log_variance)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw z = μ + σ·ε with ε ~ N(0, I), shape `[B, D]`; differentiable in μ and σ."""
        noise = torch.randn(self.mean.shape, dtype=self.mean.dtype, device=self.mean.device, generator=generator)
        return self.mean + self.std * noise

    def kl(self) -> Tensor:
        """KL(q(z_n|x) || N(0, 1)) of each frame and latent, in nats, shape `[B, D]`, never negative."""
        return 0.5 * (self.mean.pow(2) + self.variance - 1.0 - self.log_variance)

    def masked(self, mask: Tensor) -> Posterior:
        """Eq. 2 of the paper: latents with `mask` 0 become the prior N(0, 1), with no gradient to the encoder.

        Args:
            mask: a^s, 0 or 1, shape `[D]`.
        """
        keep = mask.bool()
        return Posterior(
            mean=torch.where(keep, self.mean, torch.zeros_like(self.mean)),
            log_variance=torch.where(keep, self.log_variance, torch.zeros_like(self.log_variance)),
        )

    def detach(self) -> Posterior:
        """The same numbers, without gradient."""
        return Posterior(self.mean.detach(), self.log_variance.detach())


@dataclass(frozen=True)
class FramePairs:
    """A batch of two frames of one trajectory, `offsets` steps apart: what the learner is shown.

    Frames that have no time (a set of images) come without earlier ones: `FramePairs.unpaired`.
    """

    frames: np.ndarray
    """I_t, uint8, shape `[B, C, H, W]`."""
    earlier: np.ndarray
    """I_{t-o} of the same trajectories, uint8, shape `[B, C, H, W]`, or `[0, C, H, W]` where nothing has a time."""
    offsets: np.ndarray
    """o, the steps between the two, int64, shape `[B]` or `[0]`, at least 1."""

    def __post_init__(self) -> None:
        check_frames(self.frames, ndim=4)
        check_frames(self.earlier, ndim=4)
        paired = self.earlier.shape == self.frames.shape or self.earlier.shape == (0, *self.frames.shape[1:])
        if not paired or self.offsets.shape != self.earlier.shape[:1]:
            raise FrameError(
                f"expected frames, earlier and offsets of one batch, got {self.frames.shape}, "
                f"{self.earlier.shape} and {self.offsets.shape}"
            )
        if len(self.offsets) and self.offsets.min() < 1:
            raise FrameError(f"expected offsets of at least 1 step, got {int(self.offsets.min())}")

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def unpaired(cls, frames: np.ndarray) -> FramePairs:
        """Frames of no trajectory, uint8 `[B, C, H, W]`; nothing can be learnt from them about change."""
        return cls(frames, frames[:0], np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Provenance:
    """Where a trajectory came from: enough to record it again."""

    level: str
    """Level id, e.g. `perma/IndoorMaze-v0`."""
    level_arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments the level was made with; JSON values."""
    seed: int | None = None
    """Seed of the reset that began the trajectory, None where it was not seeded."""
    wrappers: tuple[str, ...] = ()
    """Names of the wrappers between the level and the recorder, inside out."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of perma_agent, gymnasium, the engine and Python."""
    policy: str = "unknown"
    """Who acted: `random`, `oracle`, or the name of a trained policy."""


@dataclass(frozen=True)
class Trajectory:
    """One episode, or the part of one that was seen: `T` actions and `T + 1` frames."""

    frames: np.ndarray
    """What the level showed, uint8, shape `[T + 1, H, W, C]`; the last is the frame the episode ended with."""
    actions: np.ndarray
    """Shape `[T]` for discrete actions, `[T, A]` for continuous ones."""
    rewards: np.ndarray
    """The level's own rewards, float32, shape `[T]`."""
    terminated: bool
    """The episode reached an end of its own (success, death)."""
    truncated: bool
    """The episode was cut off (time limit, recorder closed)."""
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Ground-truth factors by name, each float32 of shape `[T + 1, ...]`; what is unknown at a frame is NaN."""
    provenance: Provenance = field(default_factory=lambda: Provenance(level="unknown"))

    def __post_init__(self) -> None:
        check_frames(self.frames, ndim=4, channels_last=True)
        steps = len(self.frames) - 1
        if steps < 1:
            raise ValueError(f"expected at least two frames, got {len(self.frames)}; drop empty episodes")
        if len(self.actions) != steps or self.rewards.shape != (steps,):
            raise ValueError(
                f"expected one action and one reward per step, got {len(self.frames)} frames, "
                f"{len(self.actions)} actions and rewards of shape {self.rewards.shape}"
            )
        for name, values in self.factors.items():
            if len(values) != steps + 1:
                raise ValueError(f"expected factor {name!r} at each of {steps + 1} frames, got {len(values)}")

    def __len__(self) -> int:
        return len(self.actions)


def check_frames(frames: np.ndarray | Tensor, *, ndim: int, channels_last: bool = False) -> None:
    """Refuse what is not a batch of uint8 images.

    Args:
        frames: array or tensor.
        ndim: how many axes it must have (4 for a batch, 3 for one frame).
        channels_last: whether the channels stand last (levels) or before H and W (networks).

    Raises:
        FrameError: naming what was expected and what was found.
    """
    order = "[..., H, W, C]" if channels_last else "[..., C, H, W]"
    expected = f"expected uint8 frames {order} with {ndim} axes and 1 or 3 channels"
    if frames.dtype not in (np.uint8, torch.uint8):
        raise FrameError(
            f"{expected}, got dtype {frames.dtype}; pass the level's own 0-255 pixels, not normalised ones"
        )
    if frames.ndim != ndim:
        raise FrameError(f"{expected}, got shape {tuple(frames.shape)}; add or drop the batch axis")
    channels = frames.shape[-1] if channels_last else frames.shape[-3]
    if channels not in (1, 3):
        hint = "move the channels last" if channels_last else "move the channels before height and width"
        raise FrameError(f"{expected}, got shape {tuple(frames.shape)}; {hint}, or take one frame of a stack")
