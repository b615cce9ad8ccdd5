"""Encoding on the way out of the levels gives what encoding in the policy gives."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.utils import obs_as_tensor
from stable_baselines3.common.vec_env import VecFrameStack, VecMonitor

from perma_agent.continual.checkpoint import load_learner
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.sb3 import ContinualVASECallback, EncodedObservation, VASEFeaturesExtractor

ALL = ("mean", "spread", "environment", "index", "mask")


def in_the_policy(run: str, venv: Any, kind: Any, **options: Any) -> Any:
    """What an agent's own extractor makes of observations as its levels give them."""
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="frozen", **kind.asks, **options)
    agent = PPO(kind.policy, venv, policy_kwargs=kwargs, n_steps=8, batch_size=8, device="cpu")

    def features(observations: Any) -> np.ndarray:
        tensors = obs_as_tensor(observations, agent.device)
        return agent.policy.extract_features(tensors).numpy()

    return agent.get_env(), features


@pytest.mark.parametrize("sees", [("mean",), ALL])
def test_same_numbers_as_the_extractor(pictures_run, pictures, kind, sees):
    observed, features = in_the_policy(pictures_run, pictures(kind), kind, sees=sees)
    encoded = EncodedObservation(pictures(kind), pictures_run, sees=sees, **kind.asks)
    found, expected = encoded.reset(), features(observed.reset())
    assert found.shape == (2, *encoded.observation_space.shape) and found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-5 and found.std() > 0
    cut_off = ended = 0
    for step in range(12):
        actions = np.array([step % 3, (step + 1) % 3])
        found, rewards, dones, infos = encoded.step(actions)
        pixels, same_rewards, same_dones, same_infos = observed.step(actions)
        assert np.abs(found - features(pixels)).max() < 1e-5
        assert np.array_equal(rewards, same_rewards) and np.array_equal(dones, same_dones)
        for info, other in zip(infos, same_infos, strict=True):
            assert info.get("TimeLimit.truncated") == other.get("TimeLimit.truncated")
            assert ("terminal_observation" in info) == ("terminal_observation" in other)
            if "terminal_observation" in info:
                last = info["terminal_observation"]
                one = other["terminal_observation"]
                batch = {name: np.asarray(part)[None] for name, part in one.items()} if kind.others else one[None]
                assert last.shape == encoded.observation_space.shape and last.dtype == np.float32
                assert np.abs(last - features(batch)[0]).max() < 1e-5
                cut_off += info["TimeLimit.truncated"]
                ended += not info["TimeLimit.truncated"]
    assert cut_off == ended == 2


def test_same_rollout_and_advantages_as_the_extractor(pictures_run, pictures, kinds):
    # Values of the last frames enter the rewards where a time limit ends an episode; all that is learnt must agree.
    kind, options = kinds["large"], {"n_steps": 16, "batch_size": 16, "seed": 0, "device": "cpu"}
    kwargs = VASEFeaturesExtractor.policy_kwargs(pictures_run, mode="frozen")
    through = PPO("CnnPolicy", pictures(kind), policy_kwargs=kwargs, **options).learn(64)
    beside = PPO("MlpPolicy", EncodedObservation(pictures(kind), pictures_run), **options).learn(64)
    assert beside.rollout_buffer.observations.shape[-1] == 3 and through.rollout_buffer.observations.ndim > 3
    assert np.allclose(through.rollout_buffer.returns, beside.rollout_buffer.returns, atol=1e-4)
    heads = dict(beside.policy.named_parameters())
    for name, value in through.policy.named_parameters():
        assert torch.allclose(value, heads[name], atol=1e-4), name


@pytest.mark.parametrize("algorithm", [A2C, DQN, SAC])
def test_buffers_of_latents(pictures_run, pictures, kinds, algorithm):
    venv = pictures(kinds["dict"], continuous=algorithm is SAC)
    encoded = VecMonitor(EncodedObservation(venv, pictures_run, mode="random", seed=3))
    options = {} if algorithm is A2C else {"buffer_size": 64, "learning_starts": 4, "batch_size": 8, "train_freq": 4}
    agent = algorithm("MlpPolicy", encoded, device="cpu", **options).learn(40)
    buffer = agent.rollout_buffer if algorithm is A2C else agent.replay_buffer
    assert buffer.observations.shape[-1] == 3 + 4 + 2 and buffer.observations.dtype == np.float32


def test_frames_stacked_outside_are_encoded_once(pictures_run, pictures, kinds):
    inside = EncodedObservation(pictures(kinds["channels last"]), pictures_run)
    stacked = VecFrameStack(inside, 4)
    stacked.reset()
    after = [stacked.step(np.array([1, 1]))[0] for _ in range(4)][-1]
    assert stacked.observation_space.shape == (12,) and np.abs(after).min() > 0
    # As by the extractor, but that the beginning of an episode is filled with zeros and not with the code of black.
    assert np.abs(after[:, 9:] - after[:, 6:9]).max() > 0


def test_the_level_inside_is_left_alone(pictures_run, pictures, kinds):
    venv = pictures(kinds["dict"])
    space = venv.observation_space
    encoded = EncodedObservation(venv, pictures_run)
    assert venv.observation_space is space and isinstance(space, spaces.Dict)
    assert encoded.action_space == venv.action_space and encoded.num_envs == 2
    shutil.rmtree(pictures_run)  # not needed any more
    assert np.isfinite(encoded.reset()).all()


def test_the_features_are_those_of_the_run(pictures_run, pictures, kinds, by_hand):
    kind, source = kinds["stack"], load_learner(pictures_run).model
    venv = pictures(kind)
    encoded = EncodedObservation(venv, pictures_run)
    observations = venv.reset()
    frames = torch.from_numpy(by_hand[0](kind, observations, transposed=False).reshape(-1, 3, 40, 40))
    with torch.no_grad():
        expected = source.encode(source.normalise(frames)).posterior.mean.reshape(2, 9)
    assert np.abs(encoded.encode(observations) - expected.numpy()).max() < 1e-5


def test_what_cannot_be(pictures_run, pictures, kinds):
    venv = pictures(kinds["channels last"])
    for mode in ("continual", "finetune", "nature"):
        with pytest.raises(ValueError, match=rf"expected mode 'frozen' or 'random', got '{mode}'; buffers of latents"):
            EncodedObservation(venv, pictures_run, mode=mode)
    with pytest.raises(RunFolderError, match="nowhere"):
        EncodedObservation(venv, "nowhere")
    encoded = EncodedObservation(venv, pictures_run)
    with pytest.raises(FrameError, match="pictures of 2 to 4 axes"):
        EncodedObservation(encoded, pictures_run)
    agent = PPO("MlpPolicy", encoded, n_steps=8, batch_size=8, device="cpu")
    with pytest.raises(ValueError, match="expected an agent with a VASEFeaturesExtractor"):
        agent.learn(16, callback=ContinualVASECallback(pictures_run))


def test_preprocessing_is_sb3s_own(pictures_run, pictures, kinds):
    # The claim "the same as the extractor" rests on one function; this fails should SB3 change what it does to a Dict.
    kind = kinds["dict"]
    venv = pictures(kind)
    observations = venv.reset()
    encoded = EncodedObservation(venv, pictures_run)
    tensors = preprocess_obs(obs_as_tensor(observations, torch.device("cpu")), venv.observation_space)
    assert tensors["camera"].max() <= 1 and tensors["compass"].shape == (2, 4)
    features = encoded.encode(observations)
    assert np.array_equal(features[:, 3:7], tensors["compass"].numpy())
    assert np.array_equal(features[:, 7:], tensors["speed"].numpy())


def test_each_frame_is_shown_once_so_none_is_remembered(pictures_run, pictures, kinds):
    encoded = EncodedObservation(pictures(kinds["channels last"]), pictures_run)
    encoded.reset()
    assert len(encoded.extractor.published._memory) == 0
