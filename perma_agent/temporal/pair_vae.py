"""Pair VAE: β-VAE, SlowVAE and the VAE under permanence, which differ only in what a change of the code costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from perma_agent.objectives import PermanenceConfig
from perma_agent.objectives.permanence import Reduction
from perma_agent.temporal.change import add_change
from perma_agent.temporal.frame_vae import FrameVAE
from perma_agent.temporal.host import Summands, halves, joined
from perma_agent.temporal.network import NetworkConfig
from perma_agent.types import FramePairs


@dataclass(frozen=True, kw_only=True)
class PairVAEConfig:
    """A VAE on pairs of frames; `beta_vae` and `slow_vae` make the two that the field knows."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes and likelihood."""
    beta: float = 1.0
    """β, weight of the information in the code."""
    permanence: PermanenceConfig = field(default_factory=PermanenceConfig)
    """What a change of the code costs; its weight is in units of the terms' means, see `PairVAE`."""

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ValueError(f"expected beta >= 0, got {self.beta}")

    @classmethod
    def beta_vae(cls, network: NetworkConfig | None = None, *, beta: float = 8.0) -> PairVAEConfig:
        """β-VAE: changes cost nothing. β = 8 is what SlowVAE is compared with (Klindt et al. 2021)."""
        return cls(network=network or NetworkConfig(), beta=beta, permanence=PermanenceConfig(member="none"))

    @classmethod
    def slow_vae(
        cls,
        network: NetworkConfig | None = None,
        *,
        beta: float = 1.0,
        gamma: float = 10.0,
        rate: float = 6.0,
        reduction: Reduction = "paper",
    ) -> PairVAEConfig:
        """SlowVAE with its paper's β, γ and λ, which count from the start.

        The authors' total has the reconstruction error of both frames but their information and changes once; here it
        is the mean over frames, so that β and γ are halved: their total is twice `PairVAE`'s.

        Args:
            network: sizes and likelihood.
            beta: β of the paper.
            gamma: γ of the paper, weight of the Laplace transition.
            rate: λ of the paper.
            reduction: "paper" as the authors' code adds both directions of a pair up, or "principled", see
                `laplace_transition`.
        """
        laplace = PermanenceConfig(member="laplace", weight=gamma / 2, warm_up=0, rate=rate, reduction=reduction)
        return cls(network=network or NetworkConfig(), beta=beta / 2, permanence=laplace)


class PairVAE(FrameVAE[FramePairs]):
    """A VAE whose code is kept sparse, or slow, in its change from one frame of a pair to the other.

        L = mean over frames of ( reconstruction + β KL( q(z|x) || N(0, I) ) ) + w · mean over pairs of the change term

    Where the change term is none, frames without a time (`FramePairs.unpaired`) do too.

    Example:
        >>> network = NetworkConfig(image_size=16, filters=(4, 4), hidden=8, latents=3)
        >>> host = PairVAE(PairVAEConfig(network=network))
        >>> host.posterior(torch.zeros(2, 1, 16, 16, dtype=torch.uint8)).mean.shape
        torch.Size([2, 3])
    """

    def __init__(self, config: PairVAEConfig) -> None:
        super().__init__(config.network)
        self.config = config

    def summands(self, batch: FramePairs, *, step: int, generator: torch.Generator) -> Summands:
        """Reconstruction and information of both frames, and the change between them; see `Host.summands`."""
        paired = len(batch.earlier) > 0 or self.config.permanence.acts
        frames = self.normalise(joined(batch, host="a change term") if paired else batch.frames)
        posterior = self.encode(frames)
        terms = self.evidence(frames, posterior, generator)
        weights = {"reconstruction": 1.0, "information": self.config.beta}
        later, earlier = halves(posterior) if paired else (posterior, posterior)
        add_change(terms, weights, (later, earlier), batch.offsets, config=self.config.permanence, step=step)
        change = (later.mean - earlier.mean).detach()
        return Summands(terms, weights, posterior.mean.detach(), change if paired else change[:0])
