"""Bundle of every algorithm: its policy, optimisers, schedules, normalisers and levels come back without a pickle."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecNormalize

from perma_agent.continual.checkpoint import load_learner
from perma_agent.continual.config_json import from_json, to_json
from perma_agent.errors import RunFolderError
from perma_agent.sb3 import (
    ContinualVASECallback,
    VASEFeaturesExtractor,
    load_bundle,
    read_bundle,
    restore_normalisers,
    save_bundle,
)
from perma_agent.sb3.saving.agent_tensors import tensors_of_agent
from perma_agent.sb3.saving.space_config import SpaceConfig

contrib = pytest.importorskip("sb3_contrib")

QUICK = {"buffer_size": 64, "learning_starts": 8, "train_freq": 4, "batch_size": 8}
WITH_VASE: tuple[tuple[Any, bool, dict[str, Any]], ...] = (
    (PPO, False, {"n_steps": 16, "batch_size": 16, "learning_rate": LinearSchedule(1e-3, 1e-4, 0.5)}),
    (A2C, False, {"n_steps": 8}),
    (DQN, False, {**QUICK, "train_freq": (4, "step")}),
    (SAC, True, QUICK),
    (TD3, True, QUICK),
    (contrib.QRDQN, False, QUICK),
)


def same(one: Any, other: Any) -> None:
    first, second = tensors_of_agent(one), tensors_of_agent(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize(("algorithm", "continuous", "options"), WITH_VASE)
def test_what_is_loaded_is_what_was_saved(
    run: str,
    level: Callable[..., VecEnv],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    algorithm: Any,
    continuous: bool,
    options: dict[str, Any],
) -> None:
    policy = VASEFeaturesExtractor.policy_kwargs(run, mode="frozen") | {"net_arch": [8]}
    agent = algorithm("CnnPolicy", level(continuous=continuous), policy_kwargs=policy, seed=0, device="cpu", **options)
    agent.learn(48)
    save_bundle(agent, tmp_path / "bundle")
    for module, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
        monkeypatch.setattr(module, name, None)
    loaded = load_bundle(tmp_path / "bundle")
    assert type(loaded) is algorithm
    same(agent, loaded)
    for name in ("gamma", "batch_size", "n_steps", "train_freq", "tau", "target_update_interval", "target_entropy"):
        assert getattr(loaded, name, None) == getattr(agent, name, None), name
    for left in (1.0, 0.7, 0.1):
        assert loaded.lr_schedule(left) == agent.lr_schedule(left)
    frames = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(*[each.predict(frames, deterministic=True)[0] for each in (agent, loaded)])
    loaded.set_env(level(continuous=continuous))
    assert loaded.learn(16, reset_num_timesteps=False).num_timesteps > agent.num_timesteps


def test_an_agent_with_a_memory_and_no_vase(tmp_path: Path) -> None:
    venv = make_vec_env("CartPole-v1", 2, seed=0)
    agent = contrib.RecurrentPPO("MlpLstmPolicy", venv, n_steps=16, batch_size=16, seed=0, device="cpu").learn(32)
    save_bundle(agent, tmp_path)
    loaded = load_bundle(tmp_path)
    same(agent, loaded)
    assert read_bundle(tmp_path).config.extractor is None
    assert read_bundle(tmp_path).levels == [{"id": "CartPole-v1", "arguments": {"render_mode": "rgb_array"}}]
    observations = np.zeros((3, 4), np.float32)
    np.testing.assert_array_equal(*[each.predict(observations, deterministic=True)[0] for each in (agent, loaded)])


def test_normalisers_come_along(tmp_path: Path) -> None:
    venv = VecNormalize(make_vec_env("CartPole-v1", 2, seed=0))
    agent = PPO("MlpPolicy", venv, n_steps=16, batch_size=16, seed=0, device="cpu").learn(64)
    save_bundle(agent, tmp_path)
    assert read_bundle(tmp_path).normalisers == ["VecNormalize"]
    fresh = VecNormalize(make_vec_env("CartPole-v1", 3, seed=0), training=False)
    restore_normalisers(tmp_path, fresh)
    for name in ("obs_rms", "ret_rms"):
        old, new = getattr(venv, name), getattr(fresh, name)
        np.testing.assert_array_equal(old.mean, new.mean)
        np.testing.assert_array_equal(old.var, new.var)
        assert old.count == new.count
    with pytest.raises(RunFolderError, match=r"expected the levels in \['VecNormalize'\]"):
        restore_normalisers(tmp_path, make_vec_env("CartPole-v1", 1))
    with pytest.raises(RunFolderError, match="expected statistics of observations of shapes"):
        restore_normalisers(tmp_path, VecNormalize(make_vec_env("Pendulum-v1", 1)))


class Bonus(VecEnvWrapper):
    """An intrinsic reward that learns."""

    weights = np.zeros(3)

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        self.weights = self.weights + 1
        return self.venv.step_wait()

    def learnt_state(self) -> dict[str, Any]:
        return {"weights": self.weights, "of": "novelty"}

    def restore_learnt(self, state: dict[str, Any]) -> None:
        self.weights = state["weights"]


def test_a_bonus_that_learns_comes_along(tmp_path: Path) -> None:
    agent = PPO("MlpPolicy", Bonus(make_vec_env("CartPole-v1", 2)), n_steps=16, batch_size=16, device="cpu").learn(32)
    save_bundle(agent, tmp_path)
    fresh = Bonus(make_vec_env("CartPole-v1", 2))
    restore_normalisers(tmp_path, fresh)
    np.testing.assert_array_equal(fresh.weights, [16, 16, 16])


def test_the_whole_vase_comes_along_if_asked_for(
    run: str, level: Callable[..., VecEnv], agent: Callable[..., Any], tmp_path: Path
) -> None:
    callback = ContinualVASECallback()
    trained = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).learn(32, callback=callback)
    save_bundle(trained, tmp_path / "agent", learner=callback.learner)
    learner = load_learner(tmp_path / "agent" / "vase")
    for name, value in callback.learner.model.state_dict().items():
        assert torch.equal(value, learner.model.state_dict()[name])


def test_what_only_code_can_make_again_is_refused(tmp_path: Path) -> None:
    venv = make_vec_env("Pendulum-v1", 1)
    noise = NormalActionNoise(np.zeros(1), np.ones(1))
    for agent, complaint in (
        (TD3("MlpPolicy", venv, action_noise=noise, buffer_size=10), "got another action_noise"),
        (SAC("MlpPolicy", venv, learning_rate=lambda left: left, buffer_size=10), "got another learning_rate"),
        (type("PPO", (PPO,), {})("MlpPolicy", venv), "expected SB3's own PPO"),
        (contrib.TRPO("MlpPolicy", venv), "expected one of PPO, A2C"),
    ):
        with pytest.raises(ValueError, match=complaint):
            save_bundle(agent, tmp_path / "agent")
    assert not (tmp_path / "agent").exists()


boxes = st.builds(
    lambda shape, low, width, kind: spaces.Box(low, low + width, tuple(shape), kind),
    st.lists(st.integers(1, 4), max_size=3),
    st.integers(-50, 50),
    st.integers(0, 77),
    st.sampled_from((np.float32, np.int16, np.float64)),
)
discretes = st.builds(lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 9), st.integers(-3, 3))
others = st.one_of(
    st.builds(lambda sizes: spaces.MultiDiscrete(sizes), st.lists(st.integers(1, 5), min_size=1, max_size=3)),
    st.builds(lambda n: spaces.MultiBinary(n), st.integers(1, 5)),
)
flat = st.one_of(boxes, discretes, others)


@given(st.one_of(flat, st.dictionaries(st.sampled_from("abc"), flat, min_size=1).map(spaces.Dict)))
@settings(max_examples=60, deadline=None)
def test_spaces_come_back_equal(space: spaces.Space[Any]) -> None:
    plain = to_json(SpaceConfig.of(space))
    assert from_json(SpaceConfig, plain, where="space").make() == space


def test_bounds_that_differ_are_kept() -> None:
    space = spaces.Box(np.array([[-1, 0.5], [-np.inf, 2]]), np.array([[1, 1], [np.inf, 3]]), dtype=np.float64)
    assert SpaceConfig.of(space).make() == space
    with pytest.raises(ValueError, match="expected a space of numbers"):
        SpaceConfig.of(spaces.Text(3))
