"""What the study of permanence runs: budgets, grounds, and how many seeds of which arm on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perma_agent.studies.permanence.arms import ARMS, Budget
from perma_agent.studies.permanence.grounds import Ground
from perma_agent.temporal import NetworkConfig, TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Arms on one ground: one network, one budget, a weight each that is chosen on other seeds."""

    ground: Ground
    """What is learnt from and measured on."""
    network: NetworkConfig
    """Of all arms; those without a decoder have no use for its likelihood."""
    training: TrainingConfig
    """Of all arms; its seed is replaced by the cell's."""
    warm_up: int = 1_000
    """Steps over which a change term's weight rises from 0, the same for all members of the family."""
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Seeds that are reported on, by arm."""
    tuned_on: tuple[int, ...] = (100,)
    """Seeds on which weights are chosen; none of those reported on."""
    weights: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Weights that are tried here in place of an arm's own, by arm, ascending."""
    weights_of: str | None = None
    """The comparison whose weights are taken, so that none is tuned here; None tunes them."""
    looks: int = 4
    """Quick looks on the way, evenly spread; the last at the end."""

    def __post_init__(self) -> None:
        both = {seed for seeds in self.seeds.values() for seed in seeds} & set(self.tuned_on)
        if both:
            raise ValueError(f"expected other seeds to tune on than to report on, got {sorted(both)} for both")
        if not self.tuned_on or self.looks < 1:
            raise ValueError(f"expected a seed to tune on and a look, got {self.tuned_on} and {self.looks}")

    def tried(self, arm: str) -> tuple[float, ...]:
        """Weights that are tried for an arm, ascending."""
        return self.weights.get(arm, ARMS[arm].weights)

    @property
    def budget(self) -> Budget:
        """What the arms' schedules go by."""
        return Budget(steps=self.training.steps, warm_up=self.warm_up)
