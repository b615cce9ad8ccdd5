"""How a VASE goes on learning beside an agent: how much, from what, and when it is saved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ContinualConfig:
    """How the VASE goes on learning beside the agent."""

    updates_per_rollout: int = 16
    """Updates of the learner after each rollout; 0 leaves the encoder as it is."""
    every: int = 512
    """Timesteps between two rounds of updates, at least: shorter rollouts (A2C) are put together, and off-policy
    algorithms (DQN, SAC) have a round as often as this."""
    pairs: int = 32
    """Pairs of frames per update."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Frames between the two of a pair."""
    window: int = 8_192
    """Earlier frames of the same environment kept to learn from (100 MB at 64x64 RGB); 0 for none."""
    save_every: int | None = None
    """Rounds of updates between two saves; None saves at the end of training only."""
    history: int = 10_000
    """Rounds that are remembered for the report; the oldest go first."""
    seed: int = 0
    """Of the choice of pairs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))
        if self.updates_per_rollout < 0 or self.pairs < 1 or self.window < 0 or self.every < 1 or self.history < 1:
            raise ValueError(f"expected no negative numbers and at least one of each pair, got {self}")
        if not self.offsets or min(self.offsets) < 1 or (self.save_every is not None and self.save_every < 1):
            raise ValueError(f"expected offsets and save_every of at least 1, got {self}")
