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
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, NatureCNN
from stable_baselines3.common.utils import polyak_update
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecFrameStack, VecNormalize
from torch import nn

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_learner, save_run
from perma_agent.errors import FrameError, RunFolderError
from perma_agent.models import VASE, VASEConfig
from perma_agent.sb3 import VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of, publish, share_encoder
from perma_agent.sb3.seeing.published_encoder import PublishedEncoder
from perma_agent.types import FramePairs

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
    original = PublishedEncoder._encode
    monkeypatch.setattr(PublishedEncoder, "_encode", lambda self, x: encoded.append(len(x)) or original(self, x))
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
    state = {**extractor.state_dict(), "published.encoder.mean.bias": source.model.encoder.mean.bias.detach()}
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


@pytest.mark.parametrize("options", [{"size": 32}, {"size": 128}, {"channels": 1}, {"pixels": np.float32}])
def test_frames_of_other_shapes_are_made_to_fit(run, level, agent, options):
    made = agent(PPO, level(**options), VASEFeaturesExtractor.policy_kwargs(run))
    made.learn(32)
    expect_the_encoder_of(run, made.policy)


def test_what_cannot_be_a_frame_is_refused(run, level, agent):
    kwargs = VASEFeaturesExtractor.policy_kwargs(run)["features_extractor_kwargs"]
    frame = spaces.Box(0, 255, (3, 64, 64), np.uint8)
    for space, got in (
        (spaces.Discrete(3), "pictures of 2 to 4 axes .* got Discrete"),
        (spaces.Box(-1.0, 1.0, (7,)), "pictures of 2 to 4 axes .* got Box"),
        (spaces.Dict({"speed": spaces.Box(0.0, 1.0, (2,))}), r"one picture .* got none among \['speed'\]"),
        (
            spaces.Dict({"left": frame, "right": frame}),
            "one picture .* got 'left' and 'right'; name one with",
        ),
        (spaces.Box(0, 255, (4, 64, 64), np.uint8), "frames of 3 channels, .* got 4 channels .* frame_channels=1"),
        (spaces.Box(0, 255, (2, 64, 64), np.uint8), "frames of 3 channels, .* got 2 channels"),
        (spaces.Box(0, 255, (5, 64, 64, 4), np.uint8), "1 or 3 channels in each frame"),
        (spaces.Box(-10.0, 10.0, (3, 64, 64), np.float32), r"pixels in \[0, 255\] or \[0, 1\], got .*norm_obs=False"),
    ):
        with pytest.raises(FrameError, match=f"expected {got}"):
            VASEFeaturesExtractor(space, **kwargs)
    for wrong, space in (("frame_key", frame), ("frame_key", spaces.Dict({"left": frame}))):
        with pytest.raises(FrameError, match=r"frame_key .*'up'"):
            VASEFeaturesExtractor(space, **{**kwargs, wrong: "up"})
    with pytest.raises(ValueError, match=r"expected frame_channels 1 .* got 2"):
        VASEFeaturesExtractor.policy_kwargs(run, frame_channels=2)
    with pytest.raises(RunFolderError, match="unknown 'frame_keys'"):
        VASEFeaturesExtractor(frame, **kwargs, frame_keys="left")
    extractor = VASEFeaturesExtractor(frame, **kwargs)
    with pytest.raises(FrameError, match=r"got \[2, 3, 32, 32\]"):
        extractor(torch.zeros(2, 3, 32, 32))


@pytest.mark.parametrize("dictionary", [False, True])
def test_normalised_observations_are_refused(run, level, agent, dictionary):
    venv = DictOfFrames(level()) if dictionary else level()
    normalised = VecNormalize(venv, norm_obs=True, norm_obs_keys=["camera"] if dictionary else None)
    with pytest.raises(FrameError, match=r"got float32 in \[-10, 10\].*norm_obs=False"):
        PPO(
            "MultiInputPolicy" if dictionary else "CnnPolicy",
            normalised,
            policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run),
            device="cpu",
        )


class DictOfFrames(VecEnvWrapper):
    """The frame under a name."""

    def __init__(self, venv: VecEnv) -> None:
        super().__init__(venv, observation_space=spaces.Dict({"camera": venv.observation_space}))

    def reset(self) -> dict[str, np.ndarray]:
        return {"camera": self.venv.reset()}

    def step_wait(self) -> tuple:
        observations, rewards, dones, infos = self.venv.step_wait()
        return {"camera": observations}, rewards, dones, infos


# --- who may change it ---


def expect_gradient(policy: nn.Module, *, expected: bool) -> None:
    """Whether the value of a frame has a gradient at the encoder's weights."""
    frames = torch.randint(0, 256, (4, *policy.observation_space.shape), dtype=torch.uint8)
    policy.zero_grad()
    policy.predict_values(frames).sum().backward()
    weights = dict(extractors_of(policy)[0].named_parameters())
    assert bool(weights) is expected
    assert all(weight.grad is not None for name, weight in weights.items() if "log_variance" not in name)
    if expected:
        assert weights["published.encoder.mean.weight"].grad.abs().sum() > 0
        assert weights["published.encoder.convolutions.0.weight"].grad.abs().sum() > 0


@pytest.mark.parametrize("mode", ["frozen", "continual", "random", "finetune"])
def test_the_policys_gradient_reaches_the_encoder_when_finetuned_only(run, level, agent, mode):
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run, mode=mode))
    expect_gradient(made.policy, expected=mode == "finetune")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_finetuning_begins_with_pretrained_weights_and_changes_them(run, level, agent, algorithm):
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="finetune")
    made = agent(algorithm, level(continuous=algorithm is SAC), kwargs)
    expect_the_encoder_of(run, made.policy)  # no ortho_init
    before = encoder_of(made.policy)
    made.learn(64)
    assert not torch.equal(encoder_of(made.policy)["convolutions.0.weight"], before["convolutions.0.weight"])
    assert not any(module.training for extractor in extractors_of(made.policy) for module in extractor.modules())


def test_targets_of_a_finetuned_encoder_follow_by_polyak_averages(run, level, agent):
    made = agent(
        SAC, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run, mode="finetune"), learning_starts=1_000
    )
    online, target = made.policy.critic.features_extractor, made.policy.critic_target.features_extractor
    before = target.encoder.mean.weight.clone()
    with torch.no_grad():
        online.encoder.mean.weight.add_(1.0)
    polyak_update(made.policy.critic.parameters(), made.policy.critic_target.parameters(), 0.25)
    assert torch.allclose(target.encoder.mean.weight, before + 0.25)


def test_a_masked_latent_stays_dark_and_without_gradient_when_finetuned(run, level, agent):
    made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run, mode="finetune"))
    extractor = extractors_of(made.policy)[0]
    mask = torch.tensor([True, False, True, True])
    extractor.publish(load_learner(run).model, mask=mask, step=3)
    features = made.policy.extract_features(frames_for(made))
    features.sum().backward()
    assert torch.equal(features[:, 1], torch.zeros(5))
    assert extractor.encoder.mean.weight.grad.abs().sum(dim=1).bool().tolist() == mask.tolist()


@pytest.mark.parametrize("algorithm", [PPO, SAC])
def test_a_random_encoder_is_one_untrained_encoder_for_all_networks(run, level, agent, algorithm):
    def made(seed: int) -> list[torch.Tensor]:
        kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="random", seed=seed)
        policy = agent(algorithm, level(continuous=algorithm is SAC), kwargs).policy
        return [extractor.encoder.mean.weight for extractor in extractors_of(policy)]

    first = made(7)
    assert all(torch.equal(weight, first[0]) for weight in [*first, *made(7)])
    assert not torch.equal(made(8)[0], first[0])
    assert not torch.equal(load_learner(run).model.encoder.mean.weight, first[0])
    assert first[0].std() == pytest.approx((1 / 16) ** 0.5, rel=0.3)  # as learning would begin: `models.initialisation`


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_nature_is_sb3s_own(run, level, agent, algorithm):
    learnt = []
    for kwargs in (VASEFeaturesExtractor.policy_kwargs(run, mode="nature"), {"features_extractor_class": NatureCNN}):
        made = agent(algorithm, level(), {**kwargs, "net_arch": [8]})
        made.learn(64)
        learnt.append({name.replace("nature.", ""): value for name, value in made.policy.state_dict().items()})
    assert learnt[0].keys() == learnt[1].keys()
    assert all(torch.equal(value, learnt[1][name]) for name, value in learnt[0].items())


def test_controls_are_not_published_to(run, level, agent, learner):
    for mode in ("random", "nature"):
        made = agent(PPO, level(), VASEFeaturesExtractor.policy_kwargs(run, mode=mode))
        with pytest.raises(ValueError, match=f"expected an extractor that shows a VASE, got mode '{mode}'"):
            publish(learner(), extractors_of(made.policy))


def test_nature_needs_frames_of_some_size(tmp_path):
    config = VASEConfig(image_size=32, filters=(4, 4), hidden=8, latents=3)
    save_run(Learner(VASE(config)), tmp_path / "small")
    kwargs = VASEFeaturesExtractor.policy_kwargs(tmp_path / "small", mode="nature")["features_extractor_kwargs"]
    with pytest.raises(FrameError, match="expected frames of at least 36 pixels for mode 'nature', got a model of 32"):
        VASEFeaturesExtractor(spaces.Box(0, 255, (3, 64, 64), np.uint8), **kwargs)


# --- one encoder ---


@pytest.mark.parametrize(("algorithm", "copies"), [(PPO, 2), (DQN, 2), (SAC, 3), (TD3, 4)])
def test_a_shared_encoder_is_one_in_memory(run, level, agent, tmp_path, learner, algorithm, copies):
    options = {"share_features_extractor": False} if algorithm is PPO else {}
    kwargs = VASEFeaturesExtractor.policy_kwargs(run) | options
    if algorithm is TD3:
        made = TD3("CnnPolicy", level(continuous=True), policy_kwargs=kwargs, buffer_size=64, device="cpu")
    else:
        made = agent(algorithm, level(continuous=algorithm is SAC), kwargs)
    extractors = extractors_of(made.policy)
    assert len({extractor.encoder.mean.weight.data_ptr() for extractor in extractors}) == copies
    share_encoder(extractors)
    assert len({extractor.encoder.mean.weight.data_ptr() for extractor in extractors}) == 1
    source = learner(seed=9)
    extractors[-1].publish(source.model, mask=torch.tensor([True, False, True, True]), step=5)
    assert [extractor.published_step for extractor in extractors] == [5] * copies
    made.save(tmp_path / "agent.zip")
    shutil.rmtree(run)
    loaded = algorithm.load(tmp_path / "agent.zip", device="cpu")
    found = extractors_of(loaded.policy)
    assert len(found) == copies
    for extractor in found:
        assert torch.equal(extractor.encoder.mean.weight, source.model.encoder.mean.weight)
        assert extractor.published.mask.tolist() == [True, False, True, True]


def test_finetuned_and_nature_extractors_keep_their_own(run, level, agent):
    for mode in ("finetune", "nature"):
        made = agent(SAC, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run, mode=mode))
        extractors = extractors_of(made.policy)
        share_encoder(extractors)
        assert len({id(module) for extractor in extractors for module in extractor.children()}) == 3


# --- what the policy is shown ---


def test_everything_that_may_be_seen_in_its_order(run, level, agent, learner):
    source = learner(seed=4)
    sees = ("mask", "mean", "index", "spread", "environment")  # the order of asking does not matter
    venv = VecFrameStack(level(), 2)
    made = agent(PPO, venv, VASEFeaturesExtractor.policy_kwargs(run, sees=sees))
    extractor = extractors_of(made.policy)[0]
    mask = torch.tensor([True, True, False, True])
    extractor.publish(source.model, mask=mask, step=3, environment=1, environments=2)
    frames = frames_for(made)
    found = made.policy.extract_features(frames)
    expected = []
    for frame in (frames[:, :3], frames[:, 3:]):  # oldest first
        with torch.no_grad():
            encoding = source.model.encode(source.model.normalise(frame))
            logits = source.model.environment_logits(encoding.features)
        posterior = encoding.posterior.masked(mask)
        known = torch.cat([logits[:, :2].softmax(dim=1), torch.zeros(5, 1)], dim=1)
        expected += [posterior.mean, posterior.std, known]
    expected += [torch.tensor([[0.0, 1.0, 0.0]]).expand(5, -1), mask.float().expand(5, -1)]
    assert extractor.features_dim == 2 * (4 + 4 + 3) + 3 + 4 == found.shape[1]
    assert torch.allclose(found, torch.cat(expected, dim=1), atol=1e-6)
    made.learn(32)


def test_the_environment_of_a_run_is_seen_from_the_beginning(tmp_path, level, agent, learner):
    source, frames = learner(), np.random.default_rng(0).integers(0, 255, (2, 4, 3, 64, 64), dtype=np.uint8)
    save_run(source, tmp_path / "unborn")
    source.update(FramePairs(frames[0], frames[1], np.ones(4, dtype=np.int64)))
    save_run(source, tmp_path / "born")
    for name, index in (("unborn", [0.0, 0.0, 0.0]), ("born", [1.0, 0.0, 0.0])):
        kwargs = VASEFeaturesExtractor.policy_kwargs(tmp_path / name, sees=("environment", "index"))
        made = agent(PPO, level(), kwargs)
        features = made.policy.extract_features(frames_for(made, 1))
        assert features.tolist() == [[1.0, 0.0, 0.0, *index]]  # q(s|x) over the one that is known


@pytest.mark.parametrize("sees", [(), ("mask",), ("index", "mask"), ("means",), "mean"])
def test_what_is_seen_is_checked(run, sees):
    with pytest.raises(ValueError, match=r"expected sees to be a tuple of 'mean', 'spread', .* got"):
        VASEFeaturesExtractor.policy_kwargs(run, sees=sees)


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
    with pytest.raises(ValueError, match=r"expected mode 'continual', 'frozen', .* or 'nature', got 'thawed'"):
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
