"""One test over every combination of algorithm, observation, mode and sharing that Stable-Baselines3 accepts.

By default each pair of choices occurs in some run (`all_pairs`); the full product is `slow`.
"""

from __future__ import annotations

import itertools
import shutil
from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib import QRDQN, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.utils import obs_as_tensor

from perma_agent.continual.checkpoint import load_learner
from perma_agent.models import VASE
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.sb3.seeing.published_encoder import untrained_model

OFF_POLICY = {"buffer_size": 64, "learning_starts": 4, "train_freq": 4, "batch_size": 4}
ALGORITHMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "PPO": (PPO, {"n_steps": 8, "batch_size": 8, "n_epochs": 2}),
    "A2C": (A2C, {"n_steps": 8}),
    "RecurrentPPO": (RecurrentPPO, {"n_steps": 8, "batch_size": 8, "n_epochs": 2}),
    "DQN": (DQN, {**OFF_POLICY, "target_update_interval": 8}),
    "QRDQN": (QRDQN, {**OFF_POLICY, "target_update_interval": 8}),
    "SAC": (SAC, OFF_POLICY),
    "TD3": (TD3, OFF_POLICY),
}
CONTINUOUS = ("SAC", "TD3")
SHARING = ("default", "separate", "shared")
MODES = ("frozen", "continual", "finetune", "random", "nature")
KINDS = (
    "channels last",
    "channels first",
    "large",
    "small and first",
    "normalised first",
    "normalised last",
    "floats to 255",
    "grey",
    "grey without channel",
    "stack",
    "grey stack first",
    "stack on an axis",
    "dict",
    "dict of stacks",
)


def accepted(algorithm: str, kind: str, mode: str, sharing: str) -> bool:
    """DQN's networks have nobody to share with."""
    return sharing == "default" or algorithm not in ("DQN", "QRDQN")


EVERY = [choice for choice in itertools.product(ALGORITHMS, KINDS, MODES, SHARING) if accepted(*choice)]


def all_pairs(choices: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Some of `choices` in which every pair of values occurs that occurs in all of them; greedily, always the same."""
    pairs = {choice: set(itertools.combinations(enumerate(choice), 2)) for choice in choices}
    missing = set().union(*pairs.values())
    chosen = []
    while missing:
        best = max(choices, key=lambda choice: len(pairs[choice] & missing))
        chosen.append(best)
        missing -= pairs[best]
    return chosen


PAIRWISE = all_pairs(EVERY)


def test_pairwise_is_enough_and_not_everything():
    assert len(PAIRWISE) < len(EVERY) / 8
    for first, second in itertools.combinations((ALGORITHMS, KINDS, MODES), 2):
        for pair in itertools.product(first, second):
            assert any(set(pair) <= set(choice) for choice in PAIRWISE), pair


class Watched(ContinualVASECallback):
    """Notes the learner's encoder whenever it may have been published."""

    published: dict[str, torch.Tensor]

    def _on_rollout_start(self) -> None:
        super()._on_rollout_start()
        self.published = state_of(self.learner.model)


def state_of(model: VASE) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.encoder.state_dict().items()}


def same(extractor: VASEFeaturesExtractor, state: dict[str, torch.Tensor]) -> bool:
    found = extractor.encoder.state_dict()
    return found.keys() == state.keys() and all(torch.equal(found[name], state[name]) for name in state)


def learn(agent: Any, mode: str) -> Watched | None:
    """A few rollouts, beside a learner where that is what the mode is for."""
    callback = None
    if mode == "continual":
        callback = Watched(config=ContinualConfig(updates_per_rollout=1, every=8, pairs=4, offsets=(1,)))
    agent.learn(32, callback=callback)
    return callback


def expect_features_of(agent: Any, kind: Any, mode: str, by_hand: Any) -> None:
    """Features are those of the weights in the extractor, computed from the frames by hand; and `predict` works."""
    frames_by_hand, rest_by_hand = by_hand
    observations = agent.get_env().reset()
    frames = frames_by_hand(kind, observations, transposed=True)
    tensors = preprocess_obs(obs_as_tensor(observations, torch.device("cpu")), agent.observation_space)
    for extractor in extractors_of(agent.policy):
        with torch.no_grad():
            found = extractor(tensors)
            if mode == "nature":
                code = extractor.nature(torch.from_numpy(frames.reshape(2, -1, 40, 40) / 255.0).float())
            else:
                flat = torch.from_numpy(frames.reshape(-1, 3, 40, 40) / 255.0).float()
                code = extractor.encoder(flat).posterior.mean.reshape(2, -1)
        rest = torch.from_numpy(rest_by_hand(kind, observations)).float()
        assert found.shape == (2, extractor.features_dim) and torch.isfinite(found).all()
        assert torch.allclose(found, torch.cat([code, rest], dim=1), atol=0.02)  # OpenCV rounds where it resizes
    assert agent.predict(observations, deterministic=True)[0].shape[0] == 2


def check(choice: tuple[str, ...], *, run: str, kinds: Any, pictures: Any, by_hand: Any, folder: Any) -> None:
    name, kind_name, mode, sharing = choice
    (algorithm, options), kind = ALGORITHMS[name], kinds[kind_name]
    pretrained = state_of(load_learner(run).model)
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode=mode, seed=5, **kind.asks) | {"net_arch": [4]}
    if sharing != "default":
        kwargs["share_features_extractor"] = sharing == "shared"
    if name == "RecurrentPPO":
        kwargs["lstm_hidden_size"] = 4
    venv = pictures(kind, continuous=name in CONTINUOUS)
    policy = kind.policy.replace("Policy", "LstmPolicy") if name == "RecurrentPPO" else kind.policy
    agent = algorithm(policy, venv, policy_kwargs=kwargs, seed=0, device="cpu", **options)
    begins_as = state_of(untrained_model(extractors_of(agent.policy)[0].config, seed=5))
    begins_as = begins_as if mode == "random" else pretrained
    begins = mode == "nature" or all(same(extractor, begins_as) for extractor in extractors_of(agent.policy))
    assert begins  # neither ortho_init nor a copy into a target changed it
    nature = {key: value.clone() for key, value in agent.policy.state_dict().items() if ".nature." in key}
    callback = learn(agent, mode)
    extractors = extractors_of(agent.policy)
    if mode in ("frozen", "random"):
        assert all(same(extractor, begins_as) for extractor in extractors)
    elif mode == "continual":
        assert callback is not None and not any(same(extractor, pretrained) for extractor in extractors)
        assert all(same(extractor, callback.published) for extractor in extractors)  # targets included
        assert len({extractor.encoder.mean.weight.data_ptr() for extractor in extractors}) == 1
    elif mode == "finetune":
        assert not same(extractors[0], pretrained) or not same(extractors[-1], pretrained)
    else:
        assert any(
            not torch.equal(value, nature[key]) for key, value in agent.policy.state_dict().items() if key in nature
        )
    assert not any(module.training for extractor in extractors for module in extractor.modules())
    expect_features_of(agent, kind, mode, by_hand)
    agent.save(folder / "agent.zip")
    shutil.rmtree(run)  # the zip must do without
    loaded = algorithm.load(folder / "agent.zip", env=venv, device="cpu")
    state = agent.policy.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in loaded.policy.state_dict().items())
    expect_features_of(loaded, kind, mode, by_hand)
    observations = agent.get_env().reset()
    actions = [made.predict(observations, deterministic=True)[0] for made in (agent, loaded)]
    assert np.array_equal(*actions)
    agent.set_parameters(loaded.get_parameters())
    expect_features_of(agent, kind, mode, by_hand)


@pytest.mark.parametrize("choice", PAIRWISE, ids="-".join)
def test_pretrained_weights_are_those_in_use(choice, pictures_run, kinds, pictures, by_hand, tmp_path):
    check(choice, run=pictures_run, kinds=kinds, pictures=pictures, by_hand=by_hand, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("choice", [choice for choice in EVERY if choice not in PAIRWISE], ids="-".join)
def test_pretrained_weights_are_those_in_use_everywhere(choice, pictures_run, kinds, pictures, by_hand, tmp_path):
    check(choice, run=pictures_run, kinds=kinds, pictures=pictures, by_hand=by_hand, folder=tmp_path)


def test_the_kinds_are_all_there(kinds):
    assert tuple(kinds) == KINDS
