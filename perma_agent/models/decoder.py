"""The decoder: latents and the environment's index to the parameters of p(x|z, s)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional


class Decoder(nn.Module):
    """The encoder's transpose; its input is z beside the one-hot index of the environment (appendix A.1).

    Args:
        channels: C of the frames, 1 or 3.
        image_size: H = W of the frames.
        filters: the encoder's filters; they are used in reverse.
        hidden: units of the fully connected layer.
        latents: D.
        max_environments: S, the width of the one-hot index.
    """

    def __init__(
        self,
        *,
        channels: int,
        image_size: int,
        filters: tuple[int, ...],
        hidden: int,
        latents: int,
        max_environments: int,
    ) -> None:
        super().__init__()
        self.max_environments = max_environments
        self.side = image_size // 2 ** len(filters)
        self.hidden = nn.Linear(latents + max_environments, hidden)
        self.unflattened = nn.Linear(hidden, filters[-1] * self.side * self.side)
        widths = (*filters[::-1], channels)
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(widths):
            layers += [
                nn.ReLU(),
                nn.ConvTranspose2d(width_in, width_out, kernel_size=4, stride=2, padding=1),
            ]
        self.deconvolutions = nn.Sequential(*layers)

    @property
    def last(self) -> nn.ConvTranspose2d:
        """The layer that draws the pixels."""
        layer = self.deconvolutions[-1]
        assert isinstance(layer, nn.ConvTranspose2d)
        return layer

    def forward(self, latents: Tensor, environment: Tensor) -> Tensor:
        """Decode to raw outputs of shape `[B, C, H, W]`: logits (Bernoulli) or means (Gaussian).

        Args:
            latents: z, shape `[B, D]`.
            environment: s, int64 of shape `[B]`, in [0, S).
        """
        index = functional.one_hot(environment, self.max_environments).to(latents.dtype)
        hidden = torch.relu(self.hidden(torch.cat([latents, index], dim=1)))
        output: Tensor = self.deconvolutions(self.unflattened(hidden).unflatten(1, (-1, self.side, self.side)))
        return output
