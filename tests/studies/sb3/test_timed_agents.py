"""Timed agents: every arm really learns what it says, with the same settings, and threads are put back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3.common.torch_layers import FlattenExtractor, NatureCNN

from perma_agent.sb3 import VASEFeaturesExtractor
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig
from perma_agent.studies.sb3.config import SpeedConfig
from perma_agent.studies.sb3.timed_agents import (
    EYES,
    LEVEL,
    TimedAgent,
    TimedSteps,
    make_timed,
    time_agents,
    torch_threads,
)


@pytest.fixture
def config(room: LevelChoice, brief: PolicyConfig) -> SpeedConfig:
    """Blocks of 32 steps."""
    return SpeedConfig(rounds=1, threads=(1,), level=room, policy=brief)


@pytest.mark.parametrize("name", EYES)
def test_each_arm_learns_a_block_at_a_call_through_its_own_eyes(name: str, config: SpeedConfig, learnt: Path) -> None:
    timed = make_timed(name, config, learnt)
    assert isinstance(timed, TimedAgent)
    eyes = timed.agent.policy.features_extractor
    kind = {"nature": NatureCNN, "frozen": FlattenExtractor}.get(name, VASEFeaturesExtractor)
    assert type(eyes) is kind
    if isinstance(eyes, VASEFeaturesExtractor):
        assert eyes.mode == {"frozen_extractor": "frozen"}.get(name, name)
    before = {key: value.clone() for key, value in timed.agent.policy.state_dict().items()}
    assert timed() > 0 and timed.agent.num_timesteps == 32
    assert timed() > 0 and timed.agent.num_timesteps == 64
    changed = {key for key, value in timed.agent.policy.state_dict().items() if not torch.equal(value, before[key])}
    assert any("action_net" in key for key in changed)
    encoder = {key for key in changed if key.startswith("features_extractor") and key.endswith("weight")}
    assert bool(encoder) == (name in ("nature", "continual", "finetune"))
    timed.close()


def test_settings_of_ppo_are_the_same_for_all_arms(config: SpeedConfig, learnt: Path) -> None:
    told = set()
    for name in EYES:
        timed = make_timed(name, config, learnt)
        assert isinstance(timed, TimedAgent)
        agent = timed.agent
        told.add((agent.n_steps, agent.batch_size, agent.n_epochs, agent.learning_rate, agent.ent_coef, agent.n_envs))
        timed.close()
    assert told == {(16, 16, 1, config.policy.learning_rate, config.policy.entropy, 2)}


def test_the_level_alone_takes_as_many_steps(config: SpeedConfig, learnt: Path) -> None:
    timed = make_timed(LEVEL, config, learnt)
    assert isinstance(timed, TimedSteps) and timed() > 0
    timed.close()


@pytest.mark.parametrize("count", [1, 2])
def test_threads_are_those_asked_for_and_put_back(count: int) -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), torch_threads(count):
        assert torch.get_num_threads() == count
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_timings_need_rounds_and_threads(config: SpeedConfig) -> None:
    for changes in ({"rounds": 0}, {"threads": (0,)}, {"threads": (1, 1)}, {"rollouts": 0}):
        with pytest.raises(ValueError, match="at least one round"):
            replace(config, **changes)
    assert config.block == 32 and replace(config, rollouts=3).block == 96


@pytest.mark.slow
def test_all_arms_are_timed_in_turn(config: SpeedConfig, learnt: Path) -> None:
    told: list[float] = []
    seconds = time_agents(config, learnt, threads=1, on_block=told.append)
    assert list(seconds) == [*EYES, LEVEL] and sum(told) == len(seconds)
    assert all(len(values) == 1 and np.isfinite(values[0]) for values in seconds.values())
