"""What the part `sample-efficiency` runs: levels, arms, seeds, and how much is pretrained, learnt and tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from perma_agent.continual import InferenceConfig, LatentMaskConfig, LearnerConfig
from perma_agent.continual.dreams import DreamConfig
from perma_agent.envs import level_info
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, PermanenceConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.short_learner import short_learner
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS

LEVELS: Mapping[str, LevelChoice] = MappingProxyType(
    {"forage": LevelChoice(id="perma/IndoorForage-v0"), "oneroom": LevelChoice(id="MiniWorld-OneRoom-v0")}
)
"""A level of ours and one of MiniWorld's, by the name that cells call them."""


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """How the two frozen codes of a level and seed come about: both from the same frames and batches."""

    frames: int = 10_000
    """Recorded of the level by the wanderer, a random policy that repeats its actions; counted as level steps."""
    copies: int = 8
    """Levels in parallel while they are recorded."""
    updates: int = 3_000
    """Batches."""
    pairs: int = 16
    """Pairs of frames in a batch; half as many batches of 32 told less of small objects."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Steps between the two frames of a pair."""
    probed: int = 8_000
    """Frames of other layouts by which is measured what the codes tell of the nearest object."""
    model: VASEConfig = field(default_factory=lambda: VASEConfig(pixel_std=0.1))
    """Size of both networks, and of the random one; at a σ_x of .1 a small object is worth some nats."""
    vase: LearnerConfig = field(default_factory=lambda: short_learner(nats=60.0, rise=500))
    """How the VASE learns. σ_x, nats, pairs and rates were chosen on Forage's seed 100 by what a small network can tell
    from the VASE's codes of the nearest object. The number of batches was not tried itself: it lies between 2,000 and
    4,000, after policies on both had been seen on that seed (returns .48 and .80), as many as the time allowed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))
        if min(self.frames, self.copies, self.updates, self.pairs, self.probed) < 1:
            raise ValueError(f"expected at least one frame, copy, update, pair and probed frame, got {self}")

    @property
    def vae(self) -> LearnerConfig:
        """How the VAE learns: the same optimiser on a plain β-VAE's objective with β = 1.

        No granted capacity, no permanence, no masks, no environments, no dreams.
        """
        return replace(
            self.vase,
            capacity=CapacityConfig(disentangled=False, beta=1.0),
            permanence=PermanenceConfig(weight=0.0),
            dreaming=DreamConfig(enabled=False),
            inference=InferenceConfig(enabled=False),
            mask=LatentMaskConfig(enabled=False),
        )


@dataclass(frozen=True, kw_only=True)
class SampleEfficiency:
    """How much is run."""

    preset: str
    """Name of these settings."""
    arms: tuple[str, ...]
    """Of `ARMS`."""
    seeds: tuple[int, ...]
    """Runs of each arm on each level."""
    levels: Mapping[str, LevelChoice] = field(default_factory=lambda: dict(LEVELS))
    """What is learnt, by name."""
    policy: PolicyConfig = field(
        default_factory=lambda: PolicyConfig(timesteps=40_960, continual=ContinualConfig(updates_per_rollout=4))
    )
    """PPO, and how the continual arm's VASE goes on learning; its seed is replaced by the cell's."""
    policies: Mapping[str, PolicyConfig] = field(default_factory=dict)
    """PPO of the arms named, in place of `policy`; their timesteps do not count, their rollouts must divide its."""
    timesteps: Mapping[str, int] = field(default_factory=dict)
    """Level steps of a training on the levels named, in place of the policy's."""
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)
    """Of the codes."""
    episodes: int = 40
    """Played at the end by each trained policy, and by the two players that scores are measured between."""

    def __post_init__(self) -> None:
        for name in ("arms", "seeds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.arms or not self.seeds or not self.levels or self.episodes < 1 or min(self.seeds) < 0:
            raise ValueError(f"expected arms, levels, seeds from 0 and at least one episode, got {self}")
        for arm, policy in self.policies.items():
            own = policy.copies * policy.steps_per_rollout
            if arm not in ARMS or self.rollout % own:
                raise ValueError(
                    f"expected policies of the arms {', '.join(ARMS)} whose rollouts divide one of {self.rollout} "
                    f"steps, got one of {own} for {arm}"
                )
        for steps in (self.policy.timesteps, *self.timesteps.values()):
            if steps < 1 or steps % self.rollout:
                raise ValueError(f"expected timesteps that are whole rollouts of {self.rollout} steps, got {steps}")
        if unknown := set(self.timesteps) - set(self.levels):
            raise ValueError(f"expected timesteps of the levels {', '.join(self.levels)}, got them of {unknown}")

    @property
    def rollout(self) -> int:
        """Level steps of one rollout of `policy`, over all copies: the grid that all arms' curves are noted on."""
        return self.policy.copies * self.policy.steps_per_rollout

    def policy_on(self, name: str, arm: str) -> PolicyConfig:
        """PPO of an arm on a level, by their names."""
        timesteps = self.timesteps.get(name, self.policy.timesteps)
        return replace(self.policies.get(arm, self.policy), timesteps=timesteps)


def episode_limit(level: LevelChoice) -> int:
    """Steps after which an episode of the level is ended."""
    return int(level.arguments.get("max_episode_steps", level_info(level.id).max_episode_steps))
