"""Joint embedding: a code that predicts itself from one frame to another, without a decoder."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from perma_agent.models.initialisation import initialise
from perma_agent.objectives import PermanenceConfig
from perma_agent.temporal.change import add_change
from perma_agent.temporal.collapse_guard import CollapseGuardConfig, covariance, variance_hinge
from perma_agent.temporal.host import Host, Summands, halves, joined
from perma_agent.temporal.network import NetworkConfig
from perma_agent.temporal.point_encoder import PointEncoder
from perma_agent.types import FramePairs, Posterior


@dataclass(frozen=True, kw_only=True)
class JointEmbeddingConfig:
    """A joint-embedding predictive architecture (JEPA) on pairs of frames."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    """Sizes; there is no decoder."""
    predictor_hidden: int = 64
    """Units of the predictor's hidden layer."""
    prediction: float = 25.0
    """Weight of the squared prediction error (VICReg's invariance: 25)."""
    guard: CollapseGuardConfig = field(default_factory=CollapseGuardConfig)
    """What keeps the code from collapsing."""
    permanence: PermanenceConfig = field(default_factory=PermanenceConfig)
    """What a change of the code costs."""

    def __post_init__(self) -> None:
        if self.predictor_hidden < 1 or not self.prediction >= 0:
            raise ValueError(f"expected predictor_hidden >= 1 and prediction >= 0, got {self}")


class Predictor(nn.Module):
    """Where a code will be some steps on: it stays, but for what a hidden layer says.

        ẑ_t = z_{t-o} + f( z_{t-o}, log₂ o )

    Args:
        latents: D.
        hidden: units of f's hidden layer.
    """

    def __init__(self, latents: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(latents + 1, hidden)
        self.mean = nn.Linear(hidden, latents)
        initialise(self)

    def forward(self, earlier: Tensor, offsets: Tensor) -> Tensor:
        """Predictions ẑ_t, shape `[B, D]`, from codes z_{t-o} `[B, D]` and offsets o in steps `[B]`."""
        ahead = offsets.to(earlier.dtype).log2().unsqueeze(1)
        moved: Tensor = self.mean(torch.relu(self.hidden(torch.cat([earlier, ahead], dim=1))))
        return earlier + moved.float()


class JointEmbedding(Host[FramePairs]):
    """A JEPA with VICReg's guard: encode both frames, predict the later code from the earlier.

        L = w_p · mean ( ||z_t - ẑ_t||² / D ) + guard( z_t, z_{t-o} ) + w · mean change term
        guard = w_v · mean_d hinge_d + w_c · mean_d c_d      (`variance_hinge`, `covariance`; averaged over both frames)

    Gradients flow into both frames. Without the guard a constant code is perfect; permanence with b > 0 and prediction
    both pull towards it.

    Reference:
        Bardes et al., VICReg, ICLR 2022, for guard and weights; LeCun, A path towards autonomous machine intelligence
        (2022), for the architecture.
    """

    def __init__(self, config: JointEmbeddingConfig) -> None:
        super().__init__(config.network)
        self.config = config
        self.encoder = PointEncoder(config.network)
        self.predictor = Predictor(config.network.latents, config.predictor_hidden)

    def summands(self, batch: FramePairs, *, step: int, generator: torch.Generator) -> Summands:
        """Prediction, guard and change; see `Host.summands`."""
        del generator  # no noise
        posterior = self.posterior(torch.from_numpy(joined(batch, host="a joint embedding")))
        later, earlier = halves(posterior)
        with self.precision():
            predicted = self.predictor(earlier.mean, torch.from_numpy(batch.offsets).to(self.device))
        terms = {"prediction": (later.mean - predicted).pow(2).mean(dim=1)}
        weights = {"prediction": self.config.prediction}
        guard = self.config.guard
        if guard.enabled:
            terms["variance"] = 0.5 * (variance_hinge(later.mean) + variance_hinge(earlier.mean))
            terms["covariance"] = 0.5 * (covariance(later.mean) + covariance(earlier.mean))
            weights |= {"variance": guard.variance, "covariance": guard.covariance}
        add_change(terms, weights, (later, earlier), batch.offsets, config=self.config.permanence, step=step)
        return Summands(terms, weights, posterior.mean.detach(), (later.mean - earlier.mean).detach())

    def posterior(self, frames: Tensor) -> Posterior:
        """The code of each frame, a point, shape `[N, D]`; see `Host.posterior`."""
        floats = self.normalise(frames)
        with self.precision():
            posterior: Posterior = self.encoder(floats)
        return posterior
