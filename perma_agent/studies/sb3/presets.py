"""Presets of the study `sb3`: smoke for a look, bench for two cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from perma_agent.continual import InferenceConfig, LearnerConfig
from perma_agent.models import VASEConfig
from perma_agent.objectives import CapacityConfig, CapacitySchedule, PermanenceConfig
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.permanence.recording import RolloutConfig
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.pretraining_run import StretchConfig
from perma_agent.studies.sb3.config import SB3Study, SpeedConfig, SwitchConfig, VASEChoice
from perma_agent.studies.sb3.resume_trial import ResumeTrialConfig
from perma_agent.studies.short_learner import short_learner

GROUND = {"side": 9.0, "good": 4, "bad": 2, "obstacles": 0, "max_episode_steps": 100}
"""A small forage, chosen before any agent was trained on it. PPO learns little on it in the steps before the switch; in
trials since, without red objects and at twice the learning rate, it learnt much more."""
INDOOR, OUTDOOR = (LevelChoice(id=f"perma/{look}Forage-v0", arguments=GROUND) for look in ("Indoor", "Outdoor"))
"""One task, one sequence of layouts, two looks."""


def _bench() -> SB3Study:
    return SB3Study(
        preset="bench",
        vase=VASEChoice(
            rollouts=RolloutConfig(levels=(LevelChoice(id=INDOOR.id), INDOOR), frames=12_000),
            learner=short_learner(),
            stretch=StretchConfig(updates=1_500),
        ),
        speed=SpeedConfig(rounds=9),
        resume=ResumeTrialConfig(),
        switch=SwitchConfig(rollouts=24, window=6, before=INDOOR, after=OUTDOOR),
    )


def _smoke() -> SB3Study:
    policy = PolicyConfig(
        copies=2,
        steps_per_rollout=32,
        batch_size=32,
        epochs=1,
        continual=ContinualConfig(updates_per_rollout=2, every=64, pairs=4),
    )
    short = {**GROUND, "max_episode_steps": 20}
    trial = ResumeTrialConfig(kills=1)
    return SB3Study(
        preset="smoke",
        vase=VASEChoice(
            rollouts=RolloutConfig(levels=(INDOOR,), frames=400, copies=2),
            model=VASEConfig(filters=(8, 8, 8, 8), hidden=32, latents=8),
            learner=LearnerConfig(
                capacity=CapacityConfig(warm_up=10, schedule=CapacitySchedule(steps=20)),
                permanence=PermanenceConfig(warm_up=10),
                inference=InferenceConfig(burn_in=10),
            ),
            stretch=StretchConfig(updates=20, pairs=8),
        ),
        speed=SpeedConfig(rounds=2, threads=(1,), policy=policy),
        resume=replace(trial, policy=replace(trial.policy, timesteps=256)),
        switch=SwitchConfig(
            rollouts=4,
            window=2,
            before=LevelChoice(id=INDOOR.id, arguments=short),
            after=LevelChoice(id=OUTDOOR.id, arguments=short),
            seeds=(0,),
            policy=policy,
            probes=16,
            chance=2,
        ),
    )


PRESETS: Mapping[str, SB3Study] = MappingProxyType({"smoke": _smoke(), "bench": _bench()})
