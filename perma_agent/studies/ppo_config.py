"""PPO config: what SB3's PPO is told in all experiments, the same names everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """PPO with a small MLP on features."""

    copies: int = 8
    """Levels in parallel."""
    steps_per_rollout: int = 128
    """Steps of each copy between two updates of the policy."""
    batch_size: int = 256
    """Frames in a minibatch of PPO."""
    epochs: int = 4
    """Times PPO goes through each rollout."""
    learning_rate: float = 5e-4
    """Of PPO's Adam."""
    entropy: float = 0.01
    """Weight of PPO's entropy bonus."""
    layers: tuple[int, ...] = (64, 64)
    """Hidden layers of actor and critic."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if min(self.copies, self.epochs, *self.layers) < 1:
            raise ValueError(f"expected copies, epochs and layers of at least 1, got {self}")
        if self.batch_size < 2 or self.rollout < 2:
            raise ValueError(f"expected a batch_size and a rollout of at least 2 frames, got {self}")
        if not self.learning_rate > 0 or not self.entropy >= 0:
            raise ValueError(
                f"expected a positive learning_rate and an entropy weight of at least 0, got {self.learning_rate} "
                f"and {self.entropy}"
            )

    @property
    def rollout(self) -> int:
        """Frames between two updates, over all copies."""
        return self.copies * self.steps_per_rollout

    def arguments(self) -> dict[str, Any]:
        """What `stable_baselines3.PPO` is made with, beside policy, levels, seed and networks."""
        return {
            "n_steps": self.steps_per_rollout,
            "batch_size": self.batch_size,
            "n_epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "ent_coef": self.entropy,
        }
