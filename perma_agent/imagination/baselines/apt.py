"""APT: how far a state lies from the nearest ones that were met, a particle's part in the entropy of them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from perma_agent.imagination.baselines.feature_networks import FeatureNetwork, orthogonal
from perma_agent.imagination.baselines.icm_networks import ICMNetworks
from perma_agent.imagination.baselines.nearest import nearest_distances
from perma_agent.imagination.baselines.network_bonus import Batch, NetworkBonus, NetworkBonusConfig
from perma_agent.imagination.baselines.observation_reading import Seen
from perma_agent.imagination.baselines.reservoir import Reservoir
from perma_agent.imagination.baselines.running_moments import RunningMoments
from perma_agent.imagination.bonus import State, Transitions

Representation = Literal["icm", "random", "observation"]
AT_ONCE = 256
"""Particles encoded at a time."""


@dataclass(frozen=True, kw_only=True)
class APTConfig(NetworkBonusConfig):
    """Settings of `APT`."""

    representation: Representation = "icm"
    """Where distances are taken: in ICM's features, learnt meanwhile; in those of a random network; or between the
    observations themselves, for levels that show latents (`EncodedObservation`)."""
    learning_rate: float = 1e-3
    """Of Adam; learns the ICM."""
    epochs: int = 1
    """Of learning."""
    features: int = 256
    """K."""
    hidden: tuple[int, ...] = (256,)
    """Units of the ICM's guesses, and of the encoder where the observation is no picture."""
    neighbours: int = 12
    """k: nearest ones that count; URLB's."""
    memory: int = 1024
    """Particles that distances are taken to: a uniform sample of all that was met, the size of URLB's batch."""
    relative: bool = True
    """Whether distances are divided by their running mean, as in URLB; else by nothing, as in the paper."""
    beta: float = 0.2
    """β of the ICM's loss."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.representation not in get_args(Representation):
            raise ValueError(
                f"expected representation to be one of {', '.join(get_args(Representation))}, got "
                f"{self.representation!r}"
            )
        if self.neighbours < 1 or self.memory < self.neighbours or not 0 <= self.beta <= 1:
            raise ValueError(f"expected memory >= neighbours >= 1 and beta in [0, 1], got {self}")


class APT(NetworkBonus[APTConfig]):
    """Particle entropy in a representation.

        r_t = log( 1 + 1/k Σ_{j in N_k(z)} ‖ z - z_j ‖ ),   z = h(x_{t+1})

    with the k nearest among the particles, a uniform sample of all observations met before this step; fewer while there
    are not as many, and 0 before the first. The paper raises the distances to the power of their dimension in theory
    and not in practice. It takes h from contrastive learning; h here is ICM's (URLB's choice), random, or nothing.
    Particles are kept as observations and encoded anew when h has learnt, so that none is stale.

    Args:
        config: settings.

    Reference:
        Liu and Abbeel, Behavior from the void: unsupervised active pre-training (2021), eq. 5; Laskin et al., URLB:
        unsupervised reinforcement learning benchmark (2021), for k, ICM and the running mean.
    """

    def __init__(self, config: APTConfig | None = None) -> None:
        super().__init__(config or APTConfig())

    def bind(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, copies: int) -> None:
        """Make the networks, and room for the particles."""
        super().bind(observation_space, action_space, copies=copies)
        self.particles = Reservoir(self.config.memory, seed=self.config.seed)
        self.distances = RunningMoments()
        self._codes: Tensor | None = None
        self._latest = torch.empty(0)

    def build(self) -> dict[str, nn.Module]:
        """The representation."""
        shapes, config = self.reading.shapes, self.config
        if config.representation == "icm":
            icm = ICMNetworks(shapes, actions=self.actions, features=config.features, hidden=config.hidden)
            return {"icm": icm}
        if config.representation == "observation":
            return {}
        hidden = () if self.reading.pictures else config.hidden
        encoder = FeatureNetwork(shapes, features=config.features, hidden=hidden, activation=nn.LeakyReLU)
        return {"encoder": orthogonal(encoder).requires_grad_(False)}

    @property
    def whitens(self) -> bool:
        """Distances between observations are taken as they are."""
        return self.config.whiten and self.config.representation != "observation"

    def value(self, batch: Batch) -> Tensor:
        """Distances to the particles, which the batch is not among."""
        codes = self._latest = self._represent(batch.after)
        if self._codes is None or len(self.particles) == 0:
            return torch.zeros(len(codes), device=self.device)
        kept = self._codes[: len(self.particles)]
        distances = nearest_distances(codes, kept, count=self.config.neighbours).mean(dim=1)
        if self.config.relative:
            self.distances.update(distances.cpu().numpy())
            distances = distances / (float(self.distances.mean) or 1.0)
        return torch.log1p(distances)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Those of the ICM."""
        icm = cast(ICMNetworks, self.networks["icm"])
        return icm.losses(batch.before, batch.actions, batch.after, beta=self.config.beta)

    def reward(self, step: Transitions) -> np.ndarray:
        """Reward of each level; then the observations become particles."""
        values = super().reward(step)
        places = self.particles.add(self.reading.entries(step.next_observations))
        if self._codes is None:
            self._codes = torch.zeros(self.config.memory, self._latest.shape[1], device=self.device)
        kept = places >= 0
        self._codes[torch.from_numpy(places[kept])] = self._latest[torch.from_numpy(kept)]
        return values

    def learn(self) -> dict[str, float]:
        """Learn the representation, and encode the particles anew."""
        figures = super().learn()
        self._encode_particles()
        return {**figures, "particles": float(len(self.particles)), "distance": float(self.distances.mean)}

    def state_dict(self) -> dict[str, Any]:
        """Beside the networks the particles, their codes and the running mean."""
        return {
            **super().state_dict(),
            "particles": self.particles.state_dict(),
            "codes": None if self._codes is None else self._codes[: len(self.particles)].clone(),
            "distances": self.distances.state_dict(),
        }

    def load_state_dict(self, state: State) -> None:
        """Go on where another one stood, see `NetworkBonus`."""
        super().load_state_dict(state)
        self.particles.load_state_dict(state["particles"])
        self.distances.load_state_dict(state["distances"])
        self._codes = None
        if state["codes"] is not None:
            self._codes = torch.zeros(self.config.memory, state["codes"].shape[1], device=self.device)
            self._codes[: len(self.particles)] = state["codes"].to(self.device)

    def _represent(self, seen: Seen) -> Tensor:
        """Codes of observations, shape `[B, K]`."""
        if self.config.representation == "icm":
            return cast(ICMNetworks, self.networks["icm"]).encode(seen)
        if self.config.representation == "random":
            codes: Tensor = self.networks["encoder"](seen)
            return codes
        return torch.cat([values.flatten(1) for values in seen.values()], dim=1)

    @torch.no_grad()
    def _encode_particles(self) -> None:
        if self._codes is None:
            return
        kept = self.particles.sample()
        for start in range(0, len(self.particles), AT_ONCE):
            part = {name: values[start : start + AT_ONCE] for name, values in kept.items()}
            codes = self._represent(self.see(part))
            self._codes[start : start + len(codes)] = codes
