"""ICM: how wrong a guess was at what an action leads to, in features that tell what the agent can change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from perma_agent.imagination.baselines.icm_networks import ICMNetworks
from perma_agent.imagination.baselines.network_bonus import Batch, NetworkBonus, NetworkBonusConfig


@dataclass(frozen=True, kw_only=True)
class ICMConfig(NetworkBonusConfig):
    """Settings of `ICM`; β, learning rate and layers are the paper's."""

    learning_rate: float = 1e-3
    """Of Adam."""
    epochs: int = 1
    """Of learning; the authors learn from each step once."""
    features: int = 256
    """K; the authors' φ is what their convolutions give, 288 numbers of a 42×42 picture."""
    hidden: tuple[int, ...] = (256,)
    """Units of the layers of both guesses, and of φ where the observation is no picture."""
    eta: float = 1.0
    """η: scale of the reward, above 0; means nothing where the bonus is normalised."""
    beta: float = 0.2
    """β: weight of the forward loss against the inverse one, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eta <= 0 or not 0 <= self.beta <= 1:
            raise ValueError(f"expected eta > 0 and beta in [0, 1], got {self.eta} and {self.beta}")


class ICM(NetworkBonus[ICMConfig]):
    """Error of a forward model in the features of an inverse model.

        r_t = η/2 ‖ φ̂(x_{t+1}) - φ(x_{t+1}) ‖²,   φ̂(x_{t+1}) = f( φ(x_t), a_t )
        L   = (1 - β) L_I + β L_F

    with the losses of `ICMNetworks`. φ has the authors' four 3×3 convolutions of stride 2 with 32 channels and ELU.

    Args:
        config: settings.

    Reference:
        Pathak, Agrawal, Efros and Darrell, Curiosity-driven exploration by self-supervised prediction (2017), eq. 2-7.
    """

    def __init__(self, config: ICMConfig | None = None) -> None:
        super().__init__(config or ICMConfig())

    def build(self) -> dict[str, nn.Module]:
        """φ, f and g."""
        sizes = {"features": self.config.features, "hidden": self.config.hidden}
        return {"icm": ICMNetworks(self.reading.shapes, actions=self.actions, **sizes)}  # type: ignore[arg-type]

    def value(self, batch: Batch) -> Tensor:
        """η times the forward loss of each step."""
        return self.config.eta * self._icm.errors(batch.before, batch.actions, batch.after)[0]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Forward and inverse loss, and both weighed."""
        return self._icm.losses(batch.before, batch.actions, batch.after, beta=self.config.beta)

    @property
    def _icm(self) -> ICMNetworks:
        return cast(ICMNetworks, self.networks["icm"])
