"""Point encoder: the shared encoder for hosts whose code has no spread."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from perma_agent.models.encoder import Encoder
from perma_agent.models.initialisation import initialise
from perma_agent.temporal.network import NetworkConfig
from perma_agent.types import LOG_VARIANCE_LIMIT, Posterior


class PointEncoder(nn.Module):
    """The encoder of all hosts without its head of log σ², which stays as it is and untrained.

    Its posterior is a point: the mean, with the least variance a `Posterior` may have. So a term that looks at the
    spread too (SlowVAE's Laplace) becomes the one of the means, here λ ||Δ||₁, plus a constant.

    Args:
        network: sizes.
    """

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__()
        self.encoder = Encoder(
            channels=network.channels,
            image_size=network.image_size,
            filters=network.filters,
            hidden=network.hidden,
            latents=network.latents,
        )
        initialise(self.encoder)
        self.encoder.log_variance.requires_grad_(False)

    def forward(self, frames: Tensor) -> Posterior:
        """Code of floats in [0, 1] of shape `[N, C, H, W]`."""
        mean = self.encoder.mean(self.encoder.features(frames)).float()
        return Posterior(mean, torch.full_like(mean, -LOG_VARIANCE_LIMIT))
