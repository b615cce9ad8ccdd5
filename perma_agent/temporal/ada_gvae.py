"""Ada-GVAE: latents that two frames seem to share get one posterior for both."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from perma_agent.temporal.frame_vae import FrameVAE
from perma_agent.temporal.host import Summands, halves, joined
from perma_agent.temporal.network import NetworkConfig
from perma_agent.types import FramePairs, Posterior


@dataclass(frozen=True, kw_only=True)
class AdaGVAEConfig:
    """An Ada-GVAE: its only dial is β."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes and likelihood."""
    beta: float = 1.0
    """β, weight of the information in the code (Locatello et al.: 1 to 16)."""

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"expected beta >= 0, got {self.beta}")


class AdaGVAE(FrameVAE[FramePairs]):
    """Group VAE that infers from the two posteriors which latents a pair shares, and averages those.

        L = mean over both frames of ( reconstruction + β KL( q̃(z|x) || N(0, I) ) )

    q̃ is the posterior after `average_shared`.

    Reference:
        Locatello et al., Weakly-supervised disentanglement without compromises, ICML 2020, section 4.
    """

    def __init__(self, config: AdaGVAEConfig) -> None:
        super().__init__(config.network)
        self.config = config

    def summands(self, batch: FramePairs, *, step: int, generator: torch.Generator) -> Summands:
        """Reconstruction and information of both frames; see `Host.summands`."""
        del step  # nothing here follows a schedule
        frames = self.normalise(joined(batch, host="Ada-GVAE"))
        posterior = self.encode(frames)
        later, earlier = halves(posterior)
        terms = self.evidence(frames, _both(*average_shared(later, earlier)), generator)
        change = (later.mean - earlier.mean).detach()
        weights = {"reconstruction": 1.0, "information": self.config.beta}
        return Summands(terms, weights, posterior.mean.detach(), change)


def shared_latents(first: Posterior, second: Posterior) -> Tensor:
    """Which latents a pair of frames seems to share: those whose posteriors differ less than half-way.

        shared_d:  δ_d < ( min_e δ_e + max_e δ_e ) / 2,   δ_d = KL( q(z_d|x_1) || q(z_d|x_2) )

    Args:
        first: q(z|x_1), shape `[B, D]`.
        second: q(z|x_2), shape `[B, D]`.

    Returns:
        Bool, shape `[B, D]`; no latent where all differ by the same, as in a pair of equal frames.
    """
    distance = gaussian_divergence(first, second).detach()
    least, most = distance.aminmax(dim=1, keepdim=True)
    return distance < 0.5 * (least + most)


def gaussian_divergence(first: Posterior, second: Posterior) -> Tensor:
    """KL( N(μ_1, σ_1²) || N(μ_2, σ_2²) ) of each frame and latent, in nats, shape `[B, D]`, never negative."""
    ratio = torch.exp(first.log_variance - second.log_variance)
    moved = (first.mean - second.mean).pow(2) / second.variance
    return 0.5 * (ratio + moved - 1.0 + second.log_variance - first.log_variance)


def average_shared(first: Posterior, second: Posterior) -> tuple[Posterior, Posterior]:
    """Give both frames the average mean and the average variance in the latents they share (`shared_latents`)."""
    shared = shared_latents(first, second)
    mean = 0.5 * (first.mean + second.mean)
    log_variance = torch.log(0.5 * (first.variance + second.variance))
    averaged = [
        Posterior(torch.where(shared, mean, own.mean), torch.where(shared, log_variance, own.log_variance))
        for own in (first, second)
    ]
    return averaged[0], averaged[1]


def _both(first: Posterior, second: Posterior) -> Posterior:
    means = torch.cat([first.mean, second.mean])
    return Posterior(means, torch.cat([first.log_variance, second.log_variance]))
