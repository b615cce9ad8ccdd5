"""What the study `sb3` runs: agents timed in turn, a run that is killed, and agents whose level changes its look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from perma_agent.continual import LearnerConfig
from perma_agent.models import VASEConfig
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import RolloutConfig
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.pretraining_run import StretchConfig
from perma_agent.studies.sb3.resume_trial import ResumeTrialConfig


@dataclass(frozen=True, kw_only=True)
class VASEChoice:
    """The VASE that all agents begin with."""

    rollouts: RolloutConfig
    """What it learns from."""
    model: VASEConfig = field(default_factory=VASEConfig)
    """Its size."""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """How it learns."""
    stretch: StretchConfig = field(default_factory=StretchConfig)
    """How long; its seed is also the model's and the learner's."""


@dataclass(frozen=True, kw_only=True)
class SpeedConfig:
    """Agents that learn in turn."""

    rounds: int
    """Blocks of each arm that count; one before them does not."""
    threads: tuple[int, ...] = (1, 2)
    """Of torch, a cell each; the first gives the rows with goals."""
    level: LevelChoice = field(default_factory=lambda: LevelChoice(id="perma/IndoorForage-v0"))
    """What is learnt by all arms."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """PPO's settings, the same for all arms, and how many copies of the level. Networks are SB3's defaults, and so
    `layers` goes unused; `timesteps` too."""
    rollouts: int = 1
    """Rollouts in a block, each with its updates of policy and VASE."""

    def __post_init__(self) -> None:
        if min(self.rounds, self.rollouts, *self.threads) < 1 or len(set(self.threads)) < len(self.threads):
            raise ValueError(
                f"expected at least one round, one rollout and one thread, and each number of threads once, got {self}"
            )

    @property
    def block(self) -> int:
        """Level steps in a block, all copies together."""
        return self.rollouts * self.policy.steps_per_rollout * self.policy.copies


@dataclass(frozen=True, kw_only=True)
class SwitchConfig:
    """An agent that is not told when its level changes its look."""

    rollouts: int
    """On each side of the switch."""
    window: int
    """Rollouts that returns are averaged over: the last ones before the switch, the first after it, the last of all."""
    before: LevelChoice
    """The level it begins on."""
    after: LevelChoice
    """The same task in another look."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Agents of each arm."""
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """PPO, and how the VASE of the continual arm goes on learning."""
    probes: int = 256
    """Frames of each look that publications are measured on."""
    chance: int = 64
    """Episodes of the random policy on each look."""

    def __post_init__(self) -> None:
        if min(self.rollouts, self.window, self.probes, self.chance) < 1 or 2 * self.window > self.rollouts:
            raise ValueError(
                f"expected at least one rollout, probe and episode, and room for two windows after the switch, got "
                f"{self}"
            )

    @property
    def rollout(self) -> int:
        """Timesteps of a rollout."""
        return self.policy.steps_per_rollout * self.policy.copies

    @property
    def switch(self) -> int:
        """Timesteps at which the look changes."""
        return self.rollouts * self.rollout

    def policy_of(self, mode: str, *, seed: int) -> PolicyConfig:
        """PPO's settings of one cell; in mode `frozen` nothing goes on learning but the policy."""
        learning = (
            self.policy.continual if mode == "continual" else replace(self.policy.continual, updates_per_rollout=0)
        )
        return replace(self.policy, timesteps=2 * self.switch, seed=seed, continual=replace(learning, seed=seed))


@dataclass(frozen=True, kw_only=True)
class SB3Study:
    """How much is run."""

    preset: str
    """Name of these settings."""
    vase: VASEChoice
    """What all agents but the killed one begin with."""
    speed: SpeedConfig
    """The timings."""
    resume: ResumeTrialConfig
    """The run that is killed."""
    switch: SwitchConfig
    """The change of look."""
    processes: int = 1
    """Agents that go through the switch side by side, a core each; what is timed always runs alone."""
