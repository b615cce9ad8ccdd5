"""Disagreement: how far several guesses at what an action leads to lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from perma_agent.imagination.baselines.ensemble import Ensemble
from perma_agent.imagination.baselines.feature_networks import FeatureNetwork, orthogonal
from perma_agent.imagination.baselines.network_bonus import Batch, NetworkBonus, NetworkBonusConfig


@dataclass(frozen=True, kw_only=True)
class DisagreementConfig(NetworkBonusConfig):
    """Settings of `Disagreement`."""

    epochs: int = 3
    """Of learning; as many as the authors' PPO goes through a rollout."""
    hidden: tuple[int, ...] = (256,)
    """Units of the layers of each model, and of φ where the observation is no picture."""
    members: int = 5
    """M: models in the ensemble, at least 2; the paper's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.members < 2:
            raise ValueError(f"expected at least 2 members, who can disagree, got {self.members}")


class Disagreement(NetworkBonus[DisagreementConfig]):
    """Variance of an ensemble of forward models in random features.

        r_t = 1/M Σ_m ‖ f_m(φ(x_t), a_t) - f̄ ‖²,   f̄ = 1/M Σ_m f_m(φ(x_t), a_t)
        L   = 1/M Σ_m ‖ f_m(φ(x_t), a_t) - φ(x_{t+1}) ‖² / K

    What is noise makes every member guess the mean, and so is worth nothing. φ is drawn at random and stays, one of the
    paper's choices; the members learn from the same steps and differ by their first weights.

    Args:
        config: settings.

    Reference:
        Pathak, Gandhi and Gupta, Self-supervised exploration via disagreement (2019), eq. 1.
    """

    def __init__(self, config: DisagreementConfig | None = None) -> None:
        super().__init__(config or DisagreementConfig())

    def build(self) -> dict[str, nn.Module]:
        """φ and the ensemble."""
        hidden = () if self.reading.pictures else self.config.hidden
        encoder = FeatureNetwork(
            self.reading.shapes, features=self.config.features, hidden=hidden, activation=nn.LeakyReLU
        )
        sizes = (self.config.features + self.actions.size, *self.config.hidden, self.config.features)
        return {
            "encoder": orthogonal(encoder).requires_grad_(False),
            "ensemble": Ensemble(self.config.members, sizes=sizes),
        }

    def value(self, batch: Batch) -> Tensor:
        """Variance over the members, summed over the features."""
        return self._guesses(batch).var(dim=0, correction=0).sum(dim=1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error, mean over members, features and batch."""
        truth = self.networks["encoder"](batch.after)
        return {"loss": (self._guesses(batch) - truth).square().mean()}

    def _guesses(self, batch: Batch) -> Tensor:
        """Shape `[M, B, K]`."""
        features = self.networks["encoder"](batch.before)
        guesses: Tensor = self.networks["ensemble"](torch.cat([features, batch.actions], dim=1))
        return guesses
