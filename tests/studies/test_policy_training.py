"""Policy training: PPO sees through the run folder's VASE, which learns on or does not, and every episode is noted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from perma_agent.continual.checkpoint import load_learner
from perma_agent.errors import RunFolderError
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.studies.levels import LevelChoice
from perma_agent.studies.policy_training import PolicyConfig, train_policy


def test_episodes_are_noted_as_they_end(room: LevelChoice, learnt: Path, brief: PolicyConfig) -> None:
    steps: list[int] = []
    trained = train_policy(room, learnt, config=brief, on_steps=steps.append)
    assert sum(steps) == trained.agent.num_timesteps == 64
    ends = trained.episode_ends
    assert len(ends) >= 4  # 32 steps of each copy, an episode has 15 at most
    assert (np.diff(ends) >= 0).all() and 1 <= ends[0] <= ends[-1] <= 64
    np.testing.assert_array_equal(trained.successes, trained.returns > 0)  # so a maze pays


def test_the_vase_learns_on_and_is_saved_where_it_should_be(
    room: LevelChoice, run: Path, brief: PolicyConfig, tmp_path: Path
) -> None:
    before = (run / "model.safetensors").read_bytes()
    trained = train_policy(room, run, config=brief, save_to=tmp_path / "after")
    assert load_learner(tmp_path / "after").step == load_learner(run).step + 2  # a round after each rollout
    assert (run / "model.safetensors").read_bytes() == before
    assert extractors_of(trained.agent.policy)[0].mode == "continual"


def test_without_updates_the_vase_stays(room: LevelChoice, run: Path, brief: PolicyConfig, tmp_path: Path) -> None:
    frozen = replace(brief, continual=ContinualConfig(updates_per_rollout=0))
    trained = train_policy(room, run, config=frozen, save_to=tmp_path / "after")
    (extractor,) = extractors_of(trained.agent.policy)
    assert extractor.mode == "frozen"
    for name, value in load_learner(run).model.encoder.state_dict().items():
        assert torch.equal(value, extractor.encoder.state_dict()[name])


def test_training_ends_early_when_asked_to(
    room: LevelChoice, learnt: Path, brief: PolicyConfig, tmp_path: Path
) -> None:
    calls: list[int] = []
    trained = train_policy(
        room,
        learnt,
        config=replace(brief, timesteps=9999),
        save_to=tmp_path / "after",
        on_steps=lambda steps: calls.append(steps) or len(calls) < 20,
    )
    assert trained.agent.num_timesteps == 40
    assert load_learner(tmp_path / "after").step == 5  # one round, after the only whole rollout


def test_the_same_seed_trains_the_same_policy(room: LevelChoice, learnt: Path, brief: PolicyConfig) -> None:
    one, again = (train_policy(room, learnt, config=brief) for _ in range(2))
    for name, value in one.agent.policy.state_dict().items():
        assert torch.equal(value, again.agent.policy.state_dict()[name]), name
    np.testing.assert_array_equal(one.episode_ends, again.episode_ends)


def test_no_vase(room: LevelChoice, tmp_path: Path, brief: PolicyConfig) -> None:
    with pytest.raises(RunFolderError, match="got no folder"):
        train_policy(room, tmp_path / "nowhere", config=brief)
