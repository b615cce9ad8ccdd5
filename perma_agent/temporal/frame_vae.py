"""Frame VAE: the encoder, decoder and evidence bound that the hosts with a decoder share."""

from __future__ import annotations

from typing import Generic

import torch
from torch import Tensor

from perma_agent.models import VASE
from perma_agent.objectives import information, reconstruction_error
from perma_agent.temporal.host import Batch, Host
from perma_agent.temporal.network import NetworkConfig
from perma_agent.types import Posterior


class FrameVAE(Host[Batch], Generic[Batch]):
    """A VASE that knows one environment: the same encoder and decoder as in life-long learning, kept as `vase`.

    Args:
        network: sizes and likelihood.
    """

    def __init__(self, network: NetworkConfig) -> None:
        super().__init__(network)
        self.vase = VASE(network.vase())
        self.vase.environment_head.requires_grad_(False)  # there is one environment to tell

    def posterior(self, frames: Tensor) -> Posterior:
        """Posterior of each frame by itself, shape `[N, D]`; see `Host.posterior`."""
        return self.encode(self.normalise(frames))

    def encode(self, frames: Tensor) -> Posterior:
        """q(z|x) of floats in [0, 1] of shape `[N, C, H, W]`."""
        with self.precision():
            return self.vase.encode(frames).posterior

    def evidence(self, frames: Tensor, posterior: Posterior, generator: torch.Generator) -> dict[str, Tensor]:
        """The two terms of the evidence bound, each per frame in nats, shape `[N]`.

            reconstruction = -log p(x|z) + const,  z ~ q(z|x);   information = KL( q(z|x) || N(0, I) )

        Args:
            frames: x, floats in [0, 1], shape `[N, C, H, W]`.
            posterior: q(z|x), shape `[N, D]`.
            generator: of the noise in z.
        """
        samples = posterior.sample(generator)
        with self.precision():
            output = self.vase.decode(samples, 0)
        likelihood, pixel_std = self.network.likelihood, self.network.pixel_std
        error = reconstruction_error(output, frames, likelihood=likelihood, pixel_std=pixel_std)
        return {"reconstruction": error, "information": information(posterior)}

    def reconstruct(self, latents: Tensor) -> Tensor:
        """Frames in [0, 1], shape `[N, C, H, W]`, that latents `[N, D]` look like."""
        with self.precision():
            return self.vase.reconstruct(latents, 0)
