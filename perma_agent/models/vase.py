"""VASE: one encoder shared by all environments, one decoder told which environment it draws, and q(s|x).

Parameters and forward passes only; losses live in `objectives`, life-long learning in `continual`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from perma_agent.errors import FrameError
from perma_agent.models.decoder import Decoder
from perma_agent.models.encoder import Encoder, Encoding
from perma_agent.models.initialisation import initialise, start_grey
from perma_agent.types import check_frames

Likelihood = Literal["bernoulli", "gaussian"]
"""p(x|z, s): a product of Bernoullis for grey images (section 3.5), of Gaussians of fixed variance for RGB."""


@dataclass(frozen=True, kw_only=True)
class VASEConfig:
    """Size and likelihood of a VASE."""

    channels: int = 3
    """C of the frames: 3 (RGB) or 1 (grey)."""
    image_size: int = 64
    """H = W of the frames, in pixels; divisible by 2 to the number of filters."""
    filters: tuple[int, ...] = (32, 32, 64, 64)
    """Output channels of the 4x4 stride-2 convolutions; the paper's network has (64, 64, 128, 128)."""
    hidden: int = 256
    """Units of the fully connected layers (paper: 256)."""
    latents: int = 32
    """D; at least as many as all environments together have factors (section 3.6). The paper's runs have 24."""
    max_environments: int = 7
    """S, the most environments the decoder and q(s|x) can tell apart (paper: 7)."""
    likelihood: Likelihood = "gaussian"
    """`gaussian` for RGB frames, `bernoulli` for grey ones."""
    pixel_std: float = 0.3
    """σ_x of the Gaussian likelihood, in units of the pixel range [0, 1]; unused by the Bernoulli one. The paper's
    value is not known. The smaller, the more a small object is worth beside the code's cost: at 0.1 codes told slightly
    more of objects than at 0.3, both granted 60 nats, which γ = 5 held them to all the same; at 0.05 one level was
    taken for two environments (trials on one seed of `perma/IndoorForage-v0`, before a drifting model was told better
    from a new environment)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))  # JSON gives a list back
        if self.channels not in (1, 3):
            raise ValueError(f"expected channels 1 (grey) or 3 (RGB), got {self.channels}")
        if not self.filters:
            raise ValueError("expected at least one filter, got none")
        step = 2 ** len(self.filters)
        if self.image_size < step or self.image_size % step:
            raise ValueError(
                f"expected an image_size divisible by {step} (2 to the number of filters), got {self.image_size}"
            )
        if min(self.hidden, self.latents, self.max_environments, *self.filters) < 1:
            raise ValueError(f"expected positive sizes, got {self}")
        if self.likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"expected likelihood 'bernoulli' or 'gaussian', got {self.likelihood!r}")
        if not self.pixel_std > 0:
            raise ValueError(f"expected a positive pixel_std, got {self.pixel_std}")

    @classmethod
    def paper(cls, *, channels: int = 1, likelihood: Likelihood = "bernoulli") -> VASEConfig:
        """The paper's network at 64x64 (appendix A.1): 64-64-128-128 filters, 256 hidden units, 24 latents."""
        return cls(channels=channels, filters=(64, 64, 128, 128), latents=24, likelihood=likelihood)


class VASE(nn.Module):
    """Variational Autoencoder with Shared Embeddings (Achille et al., NeurIPS 2018, sections 3.1 to 3.4).

    Example:
        >>> model = VASE(VASEConfig(filters=(8, 8, 8, 8), hidden=16, latents=4))
        >>> frames = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
        >>> posterior = model.encode(model.normalise(frames)).posterior
        >>> model.reconstruct(posterior.mean, environment=0).shape
        torch.Size([2, 3, 64, 64])
    """

    def __init__(self, config: VASEConfig) -> None:
        super().__init__()
        self.config = config
        shape = {
            "channels": config.channels,
            "image_size": config.image_size,
            "filters": config.filters,
            "hidden": config.hidden,
            "latents": config.latents,
        }
        self.encoder = Encoder(**shape)  # type: ignore[arg-type]  # one dict of the sizes both share
        self.decoder = Decoder(**shape, max_environments=config.max_environments)  # type: ignore[arg-type]
        self.environment_head = nn.Linear(config.hidden, config.max_environments)
        initialise(self)
        if config.likelihood == "gaussian":
            start_grey(self.decoder.last)

    def normalise(self, frames: Tensor) -> Tensor:
        """Turn uint8 frames `[B, C, H, W]` into floats in [0, 1], refusing other shapes, dtypes and sizes.

        Raises:
            FrameError: naming what was expected and what was found.
        """
        check_frames(frames, ndim=4)
        expected = (self.config.channels, self.config.image_size, self.config.image_size)
        if tuple(frames.shape[1:]) != expected:
            raise FrameError(
                f"expected frames of shape [B, {', '.join(map(str, expected))}], got {tuple(frames.shape)}; "
                "wrap the level in perma_agent.wrappers.ObserveFrames or set VASEConfig.channels and image_size"
            )
        device = next(self.parameters()).device
        return frames.to(device).float().div_(255.0).contiguous(memory_format=torch.channels_last)

    def encode(self, frames: Tensor) -> Encoding:
        """q(z|x) and features of `frames`, floats in [0, 1] of shape `[B, C, H, W]`; independent of s (eq. 2)."""
        encoding: Encoding = self.encoder(frames)
        return encoding

    def decode(self, latents: Tensor, environment: int | Tensor) -> Tensor:
        """Raw decoder output `[B, C, H, W]`: logits (Bernoulli) or means (Gaussian) of p(x|z, s).

        Args:
            latents: z, shape `[B, D]`.
            environment: s for the whole batch, or int64 of shape `[B]`.
        """
        if isinstance(environment, int):
            environment = torch.full((len(latents),), environment, device=latents.device)
        output: Tensor = self.decoder(latents, environment).float()
        return output

    def mean_frame(self, output: Tensor) -> Tensor:
        """E[x|z, s] in [0, 1] from a raw decoder output."""
        return torch.sigmoid(output) if self.config.likelihood == "bernoulli" else output.clamp(0.0, 1.0)

    def reconstruct(self, latents: Tensor, environment: int | Tensor) -> Tensor:
        """Frames in [0, 1], shape `[B, C, H, W]`, that `latents` look like in `environment`."""
        return self.mean_frame(self.decode(latents, environment))

    def environment_logits(self, features: Tensor) -> Tensor:
        """Logits of q(s|x), shape `[B, S]`; no gradient reaches the encoder (appendix A.1)."""
        logits: Tensor = self.environment_head(features.detach()).float()
        return logits
