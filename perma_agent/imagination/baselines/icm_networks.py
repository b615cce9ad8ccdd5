"""ICM networks: features that tell what was done, and a guess at the next ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from perma_agent.imagination.baselines.action_reading import ActionReading
from perma_agent.imagination.baselines.feature_networks import FeatureNetwork, perceptron
from perma_agent.imagination.baselines.observation_reading import Seen


class ICMNetworks(nn.Module):
    """Encoder φ, forward model f and inverse model g.

        L_F = ½ ‖ f( φ(x_t), a_t ) - φ(x_{t+1}) ‖²,   L_I = error of g( φ(x_t), φ(x_{t+1}) ) about a_t

    Gradients of both reach φ, as in the authors' code; L_I keeps it from becoming constant.

    Args:
        shapes: of the entries of an observation.
        actions: how they are read.
        features: K, size of φ.
        hidden: units of the layers of f and g, and of φ where the observation is no picture.

    Reference:
        Pathak et al., Curiosity-driven exploration by self-supervised prediction (2017), section 2.2.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        actions: ActionReading,
        features: int,
        hidden: tuple[int, ...],
    ) -> None:
        super().__init__()
        self._actions = actions
        alone = () if any(len(shape) == 3 for shape in shapes.values()) else hidden
        self.encoder = FeatureNetwork(shapes, features=features, hidden=alone, trunk="small", activation=nn.ELU)
        self.predict = perceptron((features + actions.size, *hidden, features))
        self.invert = perceptron((2 * features, *hidden, actions.size))

    def encode(self, seen: Seen) -> Tensor:
        """φ(x), shape `[B, K]`."""
        features: Tensor = self.encoder(seen)
        return features

    def errors(self, before: Seen, actions: Tensor, after: Seen) -> tuple[Tensor, Tensor]:
        """L_F and L_I of each step, shape `[B]` each.

        Args:
            before: observations.
            actions: as `ActionReading.see` gives them, shape `[B, A]`.
            after: next observations.
        """
        now, then = self.encode(before), self.encode(after)
        guess = self.predict(torch.cat([now, actions], dim=1))
        forward = 0.5 * (guess - then).square().sum(dim=1)
        return forward, self._actions.error(self.invert(torch.cat([now, then], dim=1)), actions)

    def losses(self, before: Seen, actions: Tensor, after: Seen, *, beta: float) -> dict[str, Tensor]:
        """Means of L_F (`forward`), of L_I (`inverse`), and `loss`, (1 - β) L_I + β L_F."""
        forward, inverse = (error.mean() for error in self.errors(before, actions, after))
        return {"loss": (1 - beta) * inverse + beta * forward, "forward": forward, "inverse": inverse}
