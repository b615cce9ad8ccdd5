"""Publication watch: it sees each change of the policy's copy, where it came, and what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv
from torch.distributions import Categorical

from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.studies.sb3.publication_watch import PublicationWatch, action_information, feature_move

PROBES = np.random.default_rng(0).integers(0, 256, (6, 3, 64, 64)).astype(np.uint8)
LEARNING = {"updates_per_rollout": 1, "every": 16, "pairs": 2, "offsets": (1,)}


def test_a_move_is_measured_in_spreads_of_the_features_by_hand() -> None:
    before = torch.tensor([[0.0, 0.0], [2.0, 0.0]])  # each one away from the mean: a spread of 1
    assert feature_move(before, before + torch.tensor([0.0, 3.0])) == pytest.approx(3.0)
    assert feature_move(before, before + torch.tensor([[0.0, 0.0], [0.0, 2.0]])) == pytest.approx(2.0**0.5)
    assert feature_move(before, before) == 0.0
    assert feature_move(10 * before, 10 * before + 10) == pytest.approx(feature_move(before, before + 1))
    assert feature_move(torch.ones(2, 2), torch.ones(2, 2)) == 0.0
    assert feature_move(torch.ones(2, 2), torch.zeros(2, 2)) == float("inf")


def test_what_actions_tell_of_frames_by_hand() -> None:
    told = [[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]], [[0.75, 0.25], [0.25, 0.75]]
    values = [action_information(Categorical(probs=torch.tensor(each))) for each in told]
    partly = float(np.log(2) + 0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert values == pytest.approx([float(np.log(2)), 0.0, partly], abs=1e-5)


class Tamper(BaseCallback):
    """Changes the policy's copy in the midst of a rollout, once."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def _on_step(self) -> bool:
        if self.num_timesteps == self.at:
            extractors_of(self.model.policy)[0].published.mask[0] ^= True
        return True


def watched(
    venv: DummyVecEnv, run: Path, callbacks: Sequence[BaseCallback], *, mode: str = "continual"
) -> PublicationWatch:
    """After four rollouts of 16 steps."""
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode=mode)  # type: ignore[arg-type]  # one of its literals
    agent = PPO("CnnPolicy", venv, n_steps=8, batch_size=8, n_epochs=1, seed=0, policy_kwargs=kwargs)
    watch = PublicationWatch(callbacks, probes=[PROBES, PROBES[:2]])
    agent.learn(64, callback=watch)
    return watch


def test_each_publication_is_seen_at_the_beginning_of_a_rollout_and_nowhere_else(
    pictures: Callable[[int], DummyVecEnv], learnt: Path
) -> None:
    watch = watched(pictures(100), learnt, [ContinualVASECallback(config=LEARNING)])
    assert [start.timesteps for start in watch.starts] == [0, 16, 32, 48]
    assert [start.published for start in watch.starts] == [False, True, True, True]
    assert not any(start.elsewhere for start in watch.starts)
    steps = [start.step for start in watch.starts]
    assert np.diff(steps).tolist() == [1, 1, 1]  # one update a rollout
    first, *later = watch.starts
    assert first.moved == (0.0, 0.0) and first.policy_kl == (0.0, 0.0) and np.isnan(first.update_kl)
    assert all(min(start.moved) > 0 and min(start.policy_kl) > 0 for start in later)
    assert all(np.isfinite(start.update_kl) for start in later)


def test_a_frozen_encoder_moves_nothing(pictures: Callable[[int], DummyVecEnv], learnt: Path) -> None:
    watch = watched(pictures(100), learnt, [], mode="frozen")
    assert not any(start.published or start.elsewhere for start in watch.starts)
    assert {start.moved for start in watch.starts} == {(0.0, 0.0)}
    assert {start.policy_kl for start in watch.starts} == {(0.0, 0.0)}


def test_a_change_in_the_midst_of_a_rollout_is_told_apart(pictures: Callable[[int], DummyVecEnv], learnt: Path) -> None:
    watch = watched(pictures(100), learnt, [Tamper(at=24)], mode="frozen")
    assert [start.elsewhere for start in watch.starts] == [False, False, True, False]
    assert not any(start.published for start in watch.starts)
