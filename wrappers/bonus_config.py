"""Bonus config: how much of an intrinsic reward an agent is paid, and when the bonus learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Schedule = Literal["constant", "linear", "exponential"]
Normalise = Literal["returns", "rewards", "none"]


@dataclass(frozen=True, kw_only=True)
class BonusRewardConfig:
    """Settings of `BonusReward`."""

    weight: float = 1.0
    """β: what the normalised bonus is multiplied with at first, at least 0."""
    schedule: Schedule = "constant"
    """How β goes on with t timesteps: `constant`; `linear`, β (1 - (1 - f) t/T); `exponential`, β f^(t/T); with
    f = `final`, T = `until`, and t cut off at T."""
    final: float = 0.0
    """f: share of the weight that is left in the end, in [0, 1]; above 0 for `exponential`. Unused by `constant`."""
    until: int = 1_000_000
    """T: timesteps, those of all levels together as SB3 counts them, after which the weight changes no more."""
    normalise: Normalise = "returns"
    """What the bonus is divided by: the running standard deviation of its discounted `returns`, of the `rewards`
    themselves, or nothing (`none`)."""
    discount: float = 0.99
    """γ of these returns, in [0, 1)."""
    warmup: int = 128
    """Steps of each level for which nothing is paid, while the normaliser meets its first values (RND's authors step
    the levels at random meanwhile); unused by `none`. Without it one value would be divided by its own size."""
    clip: float = 10.0
    """The normalised bonus is cut to plus or minus this before it is weighed, as VecNormalize does; infinity for never.
    Unused by `none`."""
    extrinsic: float = 1.0
    """What the level's own reward is multiplied with; 0 for reward-free exploration."""
    learn_every: int = 128
    """Steps of each level between two times that the bonus learns; at PPO's `n_steps` it learns with every rollout."""
    show_goal: bool = False
    """Whether observations become Dicts in which the policy sees what it lacks of the goal that the bonus pursues."""

    def __post_init__(self) -> None:
        for name, known in (("schedule", get_args(Schedule)), ("normalise", get_args(Normalise))):
            if getattr(self, name) not in known:
                raise ValueError(f"expected {name} to be one of {', '.join(known)}, got {getattr(self, name)!r}")
        fits = (
            self.weight >= 0
            and 0 <= self.final <= 1
            and self.until >= 1
            and 0 <= self.discount < 1
            and self.warmup >= 0
            and self.clip > 0
            and self.learn_every >= 1
        )
        if not fits:
            raise ValueError(
                "expected weight and warmup >= 0, final in [0, 1], until and learn_every >= 1, discount in [0, 1) and "
                f"clip > 0, got {self}"
            )
        if self.schedule == "exponential" and self.final == 0:
            raise ValueError("expected final above 0 for an exponential schedule, got 0; choose linear, or e.g. 0.01")

    def weight_at(self, timesteps: int) -> float:
        """The weight after so many timesteps."""
        passed = min(timesteps / self.until, 1.0)
        if self.schedule == "linear":
            return self.weight * (1.0 - (1.0 - self.final) * passed)
        return self.weight * self.final**passed if self.schedule == "exponential" else self.weight
