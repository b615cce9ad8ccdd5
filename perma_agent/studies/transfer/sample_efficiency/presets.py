"""Presets of the part `sample-efficiency`: smoke for a look, bench for two cores, paper for who has days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from perma_agent.continual import InferenceConfig, LearnerConfig
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS
from perma_agent.studies.transfer.sample_efficiency.config import LEVELS, PretrainingConfig, SampleEfficiency


def _smoke() -> SampleEfficiency:
    """Every arm once on short episodes of one level, with a tiny network."""
    learner = LearnerConfig(
        capacity=CapacityConfig(warm_up=10, schedule=CapacitySchedule(steps=10)),
        permanence=PermanenceConfig(warm_up=5),
        inference=InferenceConfig(burn_in=10),
    )
    return SampleEfficiency(
        preset="smoke",
        arms=tuple(ARMS),
        seeds=(0,),
        levels={"oneroom": LevelChoice(id=LEVELS["oneroom"].id, arguments={"max_episode_steps": 30})},
        policy=PolicyConfig(
            timesteps=768,
            copies=4,
            steps_per_rollout=64,
            batch_size=64,
            epochs=1,
            continual=ContinualConfig(updates_per_rollout=1, every=256, pairs=8),
        ),
        pretraining=PretrainingConfig(
            frames=240,
            copies=4,
            updates=20,
            pairs=8,
            probed=160,
            model=VASEConfig(filters=(8, 8, 8, 8), hidden=32, latents=8),
            vase=learner,
        ),
        episodes=4,
    )


SHORT = PolicyConfig(timesteps=40_960, steps_per_rollout=64, batch_size=128, epochs=10, learning_rate=1e-3)
"""The exploration study's PPO: twice as many rollouts of half the length, more and larger steps of Adam."""


def _bench() -> SampleEfficiency:
    """Forage lasts twice as long: in 40,000 steps of seed 100 NatureCNN had only begun to be better than chance.

    Each arm has the better of two settings of PPO by its final return on Forage, seed 100, after 40,960 steps (the
    demo's / `SHORT`): NatureCNN 1.65 / -.05, random .13 / .25, VAE .03 / .05, VASE .20 / .48, continual .30 / -.10,
    true factors .40 / .73. The codes had learnt from 2,000 batches then. One run each: a coarse choice.
    """
    return SampleEfficiency(
        preset="bench",
        arms=tuple(ARMS),
        seeds=tuple(range(5)),
        policies=dict.fromkeys(("random", "vae", "vase", "oracle"), SHORT),
        timesteps={"forage": 81_920},
    )


def _paper() -> SampleEfficiency:
    """Ten seeds and half a million steps, with a VASE that has seen ten times as much."""
    bench = _bench()
    learner = replace(
        bench.pretraining.vase,
        learning_rate=6e-4,
        capacity=CapacityConfig(schedule=CapacitySchedule(nats=30.0)),
        permanence=PermanenceConfig(),
    )
    return replace(
        bench,
        preset="paper",
        seeds=tuple(range(10)),
        policy=replace(bench.policy, timesteps=499_712),  # whole rollouts; those of `SHORT` are half of one
        timesteps={},
        pretraining=PretrainingConfig(frames=100_000, updates=20_000, vase=learner),
        episodes=100,
    )


PRESETS: Mapping[str, SampleEfficiency] = MappingProxyType(
    {made.preset: made for made in (_smoke(), _bench(), _paper())}
)
"""Presets by name."""
