"""What Stable-Baselines3 does to a features extractor, and how ours holds out against it."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.common.vec_env import VecFrameStack
from torch import nn

from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.sb3 import VASEFeaturesExtractor
from perma_agent.sb3.features_extractor import extractors_of

ALGORITHMS = [PPO, A2C, DQN, SAC]


def encoder_of(policy: nn.Module) -> dict[str, torch.Tensor]:
    first = extractors_of(policy)[0]
    return {name: value.clone() for name, value in first.encoder.state_dict().items()}


def expect_the_encoder_of(run: str, policy: nn.Module) -> None:
    """Every extractor in the policy holds the run's encoder, bit for bit."""
    expected = load_learner(run).model.encoder.state_dict()
    found = extractors_of(policy)
    assert found
    for extractor in found:
        state = extractor.encoder.state_dict()
        assert state.keys() == expected.keys()
        assert all(torch.equal(state[name], expected[name]) for name in expected)


def frames_for(agent, count: int = 5) -> torch.Tensor:
    """uint8 frames as the agent's policy is given them."""
    return torch.randint(0, 256, (count, *agent.observation_space.shape), dtype=torch.uint8)


# --- the encoder's weights are its own ---


class Unguarded(BaseFeaturesExtractor):
    """How the trap looks without our precautions."""

    def __init__(self, observation_space: spaces.Box) -> None:
        super().__init__(observation_space, 4)
        self.convolution = nn.Conv2d(3, 4, 64)
        nn.init.constant_(self.convolution.weight, 0.123)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.convolution(observations).flatten(1)


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_ppo_keeps_pretrained_weights(run, level, agent, algorithm):
    trapped = agent(algorithm, level(), {"features_extractor_class": Unguarded})
    assert not (trapped.policy.features_extractor.convolution.weight == 0.123).any()  # ortho_init overwrote them
    made = agent(algorithm, level(), VASEFeaturesExtractor.policy_kwargs(run))
    expect_the_encoder_of(run, made.policy)
    made.policy.apply(lambda module: made.policy.init_weights(module, gain=3.0))
    expect_the_encoder_of(run, made.policy)


@pytest.mark.parametrize("share", [True, False])
def test_ppo_keeps_pretrained_weights_shared_or_not(run, level, agent, share):
    kwargs = VASEFeaturesExtractor.policy_kwargs(run) | {"share_features_extractor": share}
    made = agent(PPO, level(), kwargs)
    assert len(extractors_of(made.policy)) == (1 if share else 2)
    expect_the_encoder_of(run, made.policy)
    made.learn(32)
    expect_the_encoder_of(run, made.policy)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_does_not_touch_the_encoder(run, level, agent, algorithm):
    # weight decay would shrink even parameters without gradient; clipping, polyak and Adam see none of the encoder
    options = {"optimizer_class": torch.optim.AdamW, "optimizer_kwargs": {"weight_decay": 0.1}}
    made = agent(algorithm, level(continuous=algorithm is SAC), VASEFeaturesExtractor.policy_kwargs(run) | options)
    heads = {name: value.clone() for name, value in made.policy.named_parameters()}
    made.learn(64)
    expect_the_encoder_of(run, made.policy)
    assert not any("features_extractor" in name for name in heads)
    assert any(not torch.equal(value, heads[name]) for name, value in made.policy.named_parameters())


def test_polyak_updates_do_not_blur_the_encoder(run, level, agent):
    made = agent(SAC, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run))
    target = made.policy.critic_target
    for extractor in extractors_of(made.policy.critic):
        extractor.encoder.mean.weight.fill_(7.0)
    polyak_update(made.policy.critic.parameters(), target.parameters(), 0.5)
    for extractor in extractors_of(target):
        assert torch.equal(extractor.encoder.mean.weight, load_learner(run).model.encoder.mean.weight)


def test_copies_are_independent(run, level, agent):
    made = agent(SAC, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run))
    assert len(extractors_of(made.policy)) == 3  # actor, critic, critic's target
    twin = copy.deepcopy(made.policy)
    for extractor in extractors_of(made.policy):
        extractor.encoder.mean.weight.fill_(7.0)
    expect_the_encoder_of(run, twin)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_extractor_stays_in_eval_mode(run, level, agent, algorithm):
    made = agent(algorithm, level(continuous=algorithm is SAC), VASEFeaturesExtractor.policy_kwargs(run))
    made.policy.train()
    made.policy.set_training_mode(True)
    modules = [module for extractor in extractors_of(made.policy) for module in extractor.modules()]
    assert modules and not any(module.training for module in modules)
    made.learn(32)
    assert not any(module.training for module in modules)


# --- what the features are ---


def test_features_are_masked_posterior_means(run, level, agent, learner):
    source = load_learner(run)
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    mask = torch.tensor([True, False, True, False])
    extractor = extractors_of(made.policy)[0]
    frames = frames_for(made)
    with torch.no_grad():
        means = source.model.encode(source.model.normalise(frames)).posterior.mean
    assert torch.allclose(made.policy.extract_features(frames), means, atol=1e-6)
    extractor.publish(source.model, mask=mask, step=0)
    features = made.policy.extract_features(frames)
    assert torch.equal(features[:, ~mask], torch.zeros(5, 2)) and torch.allclose(features[:, mask], means[:, mask])
    assert features.shape == (5, extractor.features_dim) and features.dtype == torch.float32
    assert features.abs().sum() > 0 and not features.requires_grad


def test_features_are_float32_under_autocast(run, level, agent):
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    twin, frames = copy.deepcopy(made.policy), frames_for(made, 64)
    with torch.autocast("cpu", torch.bfloat16):
        features = twin.extract_features(frames)
    assert torch.equal(features, made.policy.extract_features(frames))


def test_features_do_not_depend_on_the_batch(run, level, agent):
    # Rollouts encode N frames at a time and minibatches others; PPO's ratio is to be 1 before the first step.
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    frames = frames_for(made, 64)
    alone = torch.cat([made.policy.extract_features(frame[None]) for frame in frames])
    assert torch.equal(made.policy.extract_features(frames), alone)
    assert torch.equal(made.policy.extract_features(frames[torch.arange(63, -1, -1)]), alone.flip(0))


def test_each_frame_is_encoded_once_until_the_next_publication(run, level, agent, monkeypatch):
    encoded: list[int] = []
    original = VASEFeaturesExtractor._encode
    monkeypatch.setattr(VASEFeaturesExtractor, "_encode", lambda self, x: encoded.append(len(x)) or original(self, x))
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run), n_epochs=5)
    made.learn(32)
    assert sum(encoded) <= 32 + 2  # the rollout's frames and the two that follow it; none again in five epochs
    frames, source = frames_for(made), load_learner(run)
    before = made.policy.extract_features(frames)
    extractor = extractors_of(made.policy)[0]
    extractor.publish(source.model, mask=torch.tensor([False, True, True, True]), step=1)
    assert torch.equal(made.policy.extract_features(frames)[:, 0], torch.zeros(5)) and before[:, 0].abs().min() > 0
    with torch.no_grad():
        source.model.encoder.mean.bias.add_(1.0)
    state = {**extractor.state_dict(), "encoder.mean.bias": source.model.encoder.mean.bias.detach()}
    extractor.load_state_dict(state)
    assert torch.allclose(made.policy.extract_features(frames)[:, 1:], before[:, 1:] + 1.0, atol=1e-5)


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_normalised_by_the_policy_or_not(run, level, agent, algorithm):
    features = {}
    for normalize in (True, False):
        made = agent(algorithm, level(), VASEFeaturesExtractor.policy_kwargs(run, normalize_images=normalize))
        assert made.policy.normalize_images is normalize
        frames = torch.arange(3 * 64 * 64).remainder(256).to(torch.uint8).reshape(1, 3, 64, 64)
        extractor = extractors_of(made.policy)[0]
        network = made.policy if algorithm is PPO else made.policy.q_net
        features[normalize] = network.extract_features(frames, extractor)
        made.learn(16)
    assert torch.equal(features[True], features[False]) and features[True].abs().sum() > 0


def test_pixels_of_the_wrong_range_are_refused(run, level, agent):
    for declared in (True, False):
        kwargs = VASEFeaturesExtractor.policy_kwargs(run, normalize_images=declared) | {
            "normalize_images": not declared
        }
        made = agent(PPO, level(), kwargs)
        with pytest.raises(FrameError, match=r"expected pixels .* got .*policy_kwargs\(run, normalize_images=\.\.\.\)"):
            made.learn(16)
    extractor = extractors_of(agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).policy)[0]
    with pytest.raises(FrameError, match="nan"):
        extractor(torch.full((2, 3, 64, 64), torch.nan))
    extractor(torch.zeros(2, 3, 64, 64))  # darkness is fine either way


def test_channels_first_and_last_give_the_same_features(run, level, agent):
    found = []
    for channels_last in (True, False):
        venv = level(channels_last=channels_last)
        made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run))
        venv.seed(3)
        observations = made.get_env().reset()
        assert observations.shape == (2, 3, 64, 64)
        found.append(made.policy.extract_features(torch.as_tensor(observations)))
    assert torch.equal(found[0], found[1])


def test_float_frames_between_0_and_1(run, level, agent):
    made = agent(PPO, level(channels_last=False, pixels=np.float32), VASEFeaturesExtractor.policy_kwargs(run))
    reference = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    frames = frames_for(reference)
    expected = reference.policy.extract_features(frames)
    assert torch.allclose(made.policy.extract_features(frames.float() / 255.0), expected, atol=1e-6)
    made.learn(16)


def test_grey_frames(tmp_path, level, agent, learner):
    save_run(learner(channels=1), tmp_path / "grey")
    for channels_last in (True, False):
        venv = level(channels=1, channels_last=channels_last)
        made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(tmp_path / "grey"))
        expect_the_encoder_of(str(tmp_path / "grey"), made.policy)
        made.learn(32)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"size": 32}, "ObserveFrames"),
        ({"size": 128}, "ObserveFrames"),
        ({"channels": 1}, "ObserveFrames"),
        ({"pixels": np.float32}, "move the channels"),
    ],
)
def test_frames_of_the_wrong_shape_are_refused(run, level, agent, options, hint):
    with pytest.raises(FrameError, match=rf"expected frames of shape \[3, 64, 64\], got .*{hint}"):
        agent(PPO, level(**options), VASEFeaturesExtractor.policy_kwargs(run))


def test_other_observations_are_refused(run, level, agent):
    with pytest.raises(FrameError, match=r"got \[12, 64, 64\].* one frame of a stack"):
        agent(PPO, VecFrameStack(level(), 4), VASEFeaturesExtractor.policy_kwargs(run))
    kwargs = VASEFeaturesExtractor.policy_kwargs(run)["features_extractor_kwargs"]
    for space in (spaces.Dict({"image": spaces.Box(0, 255, (3, 64, 64), np.uint8)}), spaces.Discrete(3)):
        with pytest.raises(FrameError, match=r"expected an image space .* got (Dict|Discrete)"):
            VASEFeaturesExtractor(space, **kwargs)
    with pytest.raises(FrameError, match=r"pixels in \[0, 255\] or \[0, 1\], got .*-10"):
        VASEFeaturesExtractor(spaces.Box(-10.0, 10.0, (3, 64, 64), np.float32), **kwargs)
    extractor = VASEFeaturesExtractor(spaces.Box(0, 255, (3, 64, 64), np.uint8), **kwargs)
    with pytest.raises(FrameError, match=r"got \[2, 3, 32, 32\]"):
        extractor(torch.zeros(2, 3, 32, 32))


# --- policy_kwargs and files ---


def test_policy_kwargs_are_fresh_and_plain(run, level, agent):
    first, second = (VASEFeaturesExtractor.policy_kwargs(run) for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first["features_extractor_kwargs"])) == first["features_extractor_kwargs"]
    first["features_extractor_kwargs"]["run"] = "elsewhere"
    first["features_extractor_kwargs"]["model"]["latents"] = 99
    assert VASEFeaturesExtractor.policy_kwargs(run) == second


def test_sac_then_dqn(run, level):
    # SAC writes use_sde into the dictionary it is given, which DQN's policy does not know.
    options = {"buffer_size": 64, "device": "cpu"}
    SAC("CnnPolicy", level(continuous=True), policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run), **options)
    made = DQN("CnnPolicy", level(), policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run), **options)
    expect_the_encoder_of(run, made.policy)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("left", ["nothing", "another model", "a broken folder"])
def test_save_and_load_without_the_run_folder(run, tmp_path, level, agent, learner, algorithm, left):
    venv = level(continuous=algorithm is SAC)
    made = agent(algorithm, venv, VASEFeaturesExtractor.policy_kwargs(run))
    source = learner(seed=5)
    for extractor in extractors_of(made.policy):
        extractor.publish(source.model, mask=torch.tensor([True, True, False, True]), step=17)
    made.save(tmp_path / "agent.zip")
    shutil.rmtree(run)
    if left == "another model":
        save_run(learner(latents=7), run)
    elif left == "a broken folder":
        Path(run).mkdir()
        (Path(run) / "manifest.json").write_text("{")
    loaded = algorithm.load(tmp_path / "agent.zip", env=venv, device="cpu")
    frames = frames_for(made).numpy()
    assert np.array_equal(made.predict(frames, deterministic=True)[0], loaded.predict(frames, deterministic=True)[0])
    for before, after in zip(extractors_of(made.policy), extractors_of(loaded.policy), strict=True):
        observations = torch.as_tensor(frames).float() / 255.0
        assert torch.equal(before(observations), after(observations))
        assert after.published_step == 17
    loaded.learn(32)


def test_a_run_folder_that_vanished_is_named(run, level, agent):
    with pytest.raises(RunFolderError, match="nowhere"):
        VASEFeaturesExtractor.policy_kwargs("nowhere")
    kwargs = VASEFeaturesExtractor.policy_kwargs(run)
    shutil.rmtree(run)
    for algorithm in (PPO, DQN):  # DQN copies its network into the target's: that must not pass for weights
        made = agent(algorithm, level(), copy.deepcopy(kwargs))
        with pytest.raises(RunFolderError, match=f"expected the encoder of {run}"):
            made.predict(frames_for(made).numpy(), deterministic=True)
        for extractor in extractors_of(made.policy):
            with pytest.raises(RunFolderError, match="expected the encoder"):
                extractor(torch.zeros(1, 3, 64, 64))


def test_mode_is_checked(run):
    assert VASEFeaturesExtractor.policy_kwargs(run, mode="frozen")["features_extractor_kwargs"]["mode"] == "frozen"
    with pytest.raises(ValueError, match="expected mode 'continual' or 'frozen', got 'thawed'"):
        VASEFeaturesExtractor.policy_kwargs(run, mode="thawed")


def test_another_model_is_not_published(run, level, agent, learner):
    extractor = extractors_of(agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run)).policy)[0]
    with pytest.raises(ValueError, match="expected a model of"):
        extractor.publish(learner(latents=5).model, mask=torch.ones(5, dtype=torch.bool), step=1)


def test_making_an_extractor_draws_no_random_numbers(run):
    kwargs = VASEFeaturesExtractor.policy_kwargs(run)["features_extractor_kwargs"]
    before = torch.get_rng_state()
    VASEFeaturesExtractor(spaces.Box(0, 255, (3, 64, 64), np.uint8), **kwargs)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_channels_last_frame_as_a_level_shows_it(run, agent, level):
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run))
    frame, _ = level(count=1).envs[0].reset(seed=0)
    assert frame.shape == (64, 64, 3)
    assert made.predict(frame)[0].shape == ()
