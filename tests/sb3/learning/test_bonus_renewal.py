"""Bonus renewal: publications reach the bonus, which goes on bit for bit in another process afterwards."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from perma_agent.continual.learner_state import NamedTensors
from perma_agent.imagination.bonus import Transitions
from perma_agent.imagination.imagination_config import ImaginationConfig
from perma_agent.imagination.reward import ImaginationBonus
from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.learning.bonus_renewal import renew_bonuses
from perma_agent.sb3.state.plain_state import join_state, split_state
from perma_agent.wrappers import BonusReward, ImaginationReward

SMALL = ImaginationConfig(enough=16, memory=64, imagined=32, judged=8, horizon=10, renew_every=2, least_plausible=0.0)


def test_the_bonus_sees_through_the_vase_that_was_published(level: Any, agent: Any, run: str) -> None:
    venv = ImaginationReward(level(), run, config=SMALL, show_goal=False, learn_every=16, warmup=0)
    before = venv.bonus.imaginer.worldview
    callback = ContinualVASECallback(config={"updates_per_rollout": 2, "pairs": 4, "every": 1})
    model = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run))
    model.learn(16 * 2 * 5, callback=callback)
    view = venv.bonus.imaginer.worldview
    assert view is not before and 0 < view.step <= callback.learner.step
    codes = venv.bonus._here.codes
    assert np.allclose(codes, view.encode(venv.bonus._here.frames)[0], atol=1e-6)
    met = venv.bonus.imaginer.memories._kept[venv.bonus.imaginer.environment].sample()
    assert np.allclose(met["codes"], view.encode(met["frames"])[0], atol=1e-6)


def test_a_renewed_bonus_goes_on_bit_for_bit(level: Any, learner: Any, run: str) -> None:
    other_learner = learner(seed=5)
    bonuses = []
    for _ in range(2):
        venv = level()
        venv.seed(3)
        bonuses.append(ImaginationReward(venv, run, config=SMALL, learn_every=16, warmup=0))
    one, other = bonuses
    rng = np.random.default_rng(0)
    one.reset()
    for _ in range(40):
        one.step(rng.integers(3, size=2))
    for _ in range(2):
        assert renew_bonuses(one, other_learner) == 1
    other.reset()
    plain, arrays = split_state(one.state_dict())  # as a checkpoint holds it
    other.load_state_dict(join_state(json.loads(json.dumps(plain)), NamedTensors(arrays, source="memory")))
    weights = other.bonus.imaginer.worldview.model.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in other_learner.model.state_dict().items())
    shown = one._before
    for _ in range(20):
        frames = rng.integers(0, 256, size=shown.shape).astype(np.uint8)
        step = _step(shown, frames)
        assert (one.bonus.reward(step) == other.bonus.reward(step)).all() and (
            one.bonus.goals == other.bonus.goals
        ).all()
        shown = frames
    assert one.bonus.learn() == other.bonus.learn()


def test_bonuses_that_follow_no_vase_are_left_alone(level: Any, learner: Any) -> None:
    assert renew_bonuses(BonusReward(BonusReward(level(), "none"), "rnd"), learner()) == 0
    assert renew_bonuses(None, learner()) == 0
    assert hasattr(ImaginationBonus, "renew")


def _step(before: np.ndarray, after: np.ndarray) -> Transitions:
    nothing = np.zeros(len(after), dtype=bool)
    return Transitions(
        observations=before, actions=np.zeros(len(after)), next_observations=after, ended=nothing, timed_out=nothing,
        following=after, infos=({},) * len(after),
    )  # fmt: skip
