"""The encoder: frames to the Gaussian posterior of each latent, and to the features the environment is told from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from perma_agent.types import LOG_VARIANCE_LIMIT, Posterior


@dataclass(frozen=True)
class Encoding:
    """What the encoder says of a batch of frames."""

    posterior: Posterior
    """q(z|x), mean and log-variance of shape `[B, D]`."""
    features: Tensor
    """Activations of the last hidden layer, shape `[B, hidden]`; q(s|x) is read off them."""


class Encoder(nn.Module):
    """Convolutions of 4x4 with stride 2 and ReLU, one hidden layer, and two linear heads for μ and log σ².

    The paper's network at 64x64 has filters 64-64-128-128 and 256 hidden units (appendix A.1).

    Args:
        channels: C of the frames, 1 or 3.
        image_size: H = W of the frames, divisible by 2 to the number of filters.
        filters: output channels of each convolution.
        hidden: units of the fully connected layer.
        latents: D.
    """

    def __init__(self, *, channels: int, image_size: int, filters: tuple[int, ...], hidden: int, latents: int) -> None:
        super().__init__()
        widths = (channels, *filters)
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(widths):
            layers += [nn.Conv2d(width_in, width_out, kernel_size=4, stride=2, padding=1), nn.ReLU()]
        side = image_size // 2 ** len(filters)
        self.convolutions = nn.Sequential(*layers)
        self.hidden = nn.Linear(filters[-1] * side * side, hidden)
        self.mean = nn.Linear(hidden, latents)
        self.log_variance = nn.Linear(hidden, latents)

    def forward(self, frames: Tensor) -> Encoding:
        """Encode `frames`, floats in [0, 1] of shape `[B, C, H, W]`."""
        features = self.features(frames)
        return Encoding(self.posterior(features), features.float())

    def features(self, frames: Tensor) -> Tensor:
        """Activations of the last hidden layer, shape `[B, hidden]`, never negative."""
        return torch.relu(self.hidden(self.convolutions(frames).flatten(1)))

    def posterior(self, features: Tensor) -> Posterior:
        """q(z|x) as the two heads read it off features of shape `[B, hidden]`."""
        log_variance = self.log_variance(features).float().clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
        return Posterior(self.mean(features).float(), log_variance)
