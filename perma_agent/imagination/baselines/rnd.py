"""RND: what a network cannot yet predict of another that was drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from perma_agent.imagination.baselines.feature_networks import FeatureNetwork, orthogonal
from perma_agent.imagination.baselines.network_bonus import Batch, NetworkBonus, NetworkBonusConfig


@dataclass(frozen=True, kw_only=True)
class RNDConfig(NetworkBonusConfig):
    """Settings of `RND`; learning rate, epochs, features and layers are the paper's."""

    proportion: float = 0.25
    """Share of the steps that the predictor learns from in each epoch; the paper's 0.25 at 128 levels."""
    predictor: tuple[int, ...] = (512, 512)
    """Units of the layers that the predictor has beyond the target's."""


class RND(NetworkBonus[RNDConfig]):
    """Error of a predictor about a fixed random network, at the observation that an action led to.

        r_t = 1/K Σ_k ( f̂_k(x̂_{t+1}) - f_k(x̂_{t+1}) )²,   x̂ whitened and cut to ±5

    f is drawn once and stays, f̂ is trained on the same error, so that what was met often is worth little. The mean
    over the K features, as in the authors' code, is ‖f̂ - f‖² over K. Convolutions and layers as in the authors' code:
    32-64-64 with leaky ReLU, 512 features, two more layers of 512 in the predictor, orthogonal weights. Pictures are
    seen as the level shows them, in colour; the authors see 84×84 grey ones.

    Mean and deviation of observations start with the first steps instead of random ones beforehand: the normaliser of
    `BonusReward` pays nothing meanwhile.

    Args:
        config: settings.

    Reference:
        Burda, Edwards, Storkey and Klimov, Exploration by random network distillation (2018), section 2.2 to 2.4.
    """

    looks_before = False

    def __init__(self, config: RNDConfig | None = None) -> None:
        super().__init__(config or RNDConfig())

    def build(self) -> dict[str, nn.Module]:
        """Target and predictor."""
        hidden = () if self.reading.pictures else self.config.hidden
        common = {"features": self.config.features, "activation": nn.LeakyReLU}
        target = FeatureNetwork(self.reading.shapes, hidden=hidden, **common)  # type: ignore[arg-type]
        further = (*hidden, *self.config.predictor)
        predictor = FeatureNetwork(self.reading.shapes, hidden=further, **common)  # type: ignore[arg-type]
        return {"target": orthogonal(target).requires_grad_(False), "predictor": orthogonal(predictor)}

    def value(self, batch: Batch) -> Tensor:
        """The predictor's error, mean over the features."""
        apart = self.networks["predictor"](batch.after) - self.networks["target"](batch.after)
        error: Tensor = apart.square().mean(dim=1)
        return error

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The same, mean over the batch."""
        return {"loss": self.value(batch).mean()}
