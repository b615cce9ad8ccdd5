"""Permutation-contrastive learning: a code in which frames in time can be told from frames that were shuffled."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from perma_agent.errors import FrameError
from perma_agent.temporal.host import Host, Summands, halves, joined
from perma_agent.temporal.network import NetworkConfig
from perma_agent.temporal.point_encoder import PointEncoder
from perma_agent.types import FramePairs, Posterior


@dataclass(frozen=True, kw_only=True)
class ContrastiveConfig:
    """Permutation-contrastive learning (PCL): it has no dials."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes; there is no decoder."""


class PairScore(nn.Module):
    """Log-odds that two codes follow each other.

        r(h_t, h_{t-o}) = - Σ_d | a_d h_{t,d} + b_d h_{t-o,d} + c_d | + Σ_d h_{t,d}² + e

    The form is the log-ratio of Laplacian transitions to the marginal. It begins at a = 1, b = -1, c = e = 0.

    Args:
        latents: D.
    """

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.present = nn.Parameter(torch.ones(latents))
        """a, shape `[D]`."""
        self.past = nn.Parameter(-torch.ones(latents))
        """b, shape `[D]`."""
        self.shift = nn.Parameter(torch.zeros(latents))
        """c, shape `[D]`."""
        self.offset = nn.Parameter(torch.zeros(()))
        """e, a number."""

    def forward(self, later: Tensor, earlier: Tensor) -> Tensor:
        """Scores of pairs of codes `[B, D]`, shape `[B]`, in nats."""
        surprise = (self.present * later + self.past * earlier + self.shift).abs().sum(dim=1)
        return later.pow(2).sum(dim=1) - surprise + self.offset


class Contrastive(Host[FramePairs]):
    """PCL: an encoder and a score, trained to tell pairs in time from pairs whose earlier frame is another pair's.

        L = BCE( r(h_t, h_{t-o}), 1 ) + BCE( r(h_t, h'_{t-o}), 0 ), averaged

    h' are the earlier codes of the batch moved on by one pair, so that none stays with its own. The scale of the code
    is free: compare it by its correlations.

    Reference:
        Hyvärinen and Morioka, Nonlinear ICA of temporally dependent stationary sources, AISTATS 2017; the score as in
        the baselines published with SlowVAE (Klindt et al. 2021).
    """

    def __init__(self, config: ContrastiveConfig) -> None:
        super().__init__(config.network)
        self.config = config
        self.encoder = PointEncoder(config.network)
        self.score = PairScore(config.network.latents)

    def summands(self, batch: FramePairs, *, step: int, generator: torch.Generator) -> Summands:
        """The contrast, in nats per decision; see `Host.summands`.

        Raises:
            FrameError: also where there is but one pair.
        """
        del step, generator  # neither schedule nor noise
        if len(batch) == 1:
            raise FrameError("expected at least two pairs of frames to tell apart, got one; draw a larger batch")
        posterior = self.posterior(torch.from_numpy(joined(batch, host="PCL")))
        later, earlier = (half.mean for half in halves(posterior))
        real = functional.softplus(-self.score(later, earlier))
        false = functional.softplus(self.score(later, earlier.roll(1, dims=0)))
        terms = {"contrast": torch.cat([real, false])}
        return Summands(terms, {"contrast": 1.0}, posterior.mean.detach(), (later - earlier).detach())

    def posterior(self, frames: Tensor) -> Posterior:
        """The code of each frame, a point, shape `[N, D]`; see `Host.posterior`."""
        floats = self.normalise(frames)
        with self.precision():
            posterior: Posterior = self.encoder(floats)
        return posterior
