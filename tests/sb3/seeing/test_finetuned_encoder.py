"""Policy and VASE train one encoder between them, and neither undoes what the other did."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from perma_agent.continual import Learner
from perma_agent.continual.checkpoint import load_learner
from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of
from perma_agent.sb3.seeing.finetuned_encoder import take_over_encoder

BRISK = ContinualConfig(updates_per_rollout=2, every=1, pairs=4)
States = dict[str, torch.Tensor]


def state_of(module: Any) -> States:
    return {name: value.clone() for name, value in module.encoder.state_dict().items()}


def equal(first: States, second: States) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


class WatchedPPO(PPO):
    """Notes the encoder before and after its own updates."""

    def train(self) -> None:
        self.before.append(state_of(extractors_of(self.policy)[0]))
        super().train()
        self.after.append(state_of(extractors_of(self.policy)[0]))


class Witness(BaseCallback):
    """Notes the encoder when a rollout begins; stands behind the callback it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[States] = []

    def _on_rollout_start(self) -> None:
        self.seen.append(state_of(extractors_of(self.model.policy)[0]))

    def _on_step(self) -> bool:
        return True


def watched(run: str, level: Any) -> WatchedPPO:
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="finetune") | {"net_arch": [8]}
    agent = WatchedPPO(
        "CnnPolicy", level(), policy_kwargs=kwargs, n_steps=16, batch_size=16, n_epochs=1, seed=0, device="cpu"
    )
    agent.before, agent.after = [], []
    return agent


def test_policy_and_vase_take_turns(run, level, monkeypatch):
    begun: list[States] = []
    update = Learner.update
    monkeypatch.setattr(
        Learner, "update", lambda self, pairs: begun.append(state_of(self.model)) or update(self, pairs)
    )
    agent, witness, callback = watched(run, level), Witness(), ContinualVASECallback(config=BRISK)
    agent.learn(3 * 32, callback=CallbackList([callback, witness]))
    assert callback.learner.step == 6
    assert equal(witness.seen[0], state_of(load_learner(run).model))  # the first rollout sees the pretrained encoder
    for rollout in range(3):
        assert equal(witness.seen[rollout], agent.before[rollout])  # nothing changes while it is collected
        assert not equal(agent.before[rollout], agent.after[rollout])  # the policy's gradient does
        assert equal(begun[2 * rollout], agent.after[rollout])  # the VASE begins with what that made of it
    for rollout in (1, 2):
        assert not equal(agent.after[rollout - 1], witness.seen[rollout])  # and the policy goes on with what it added
    assert not equal(state_of(callback.learner.model), agent.after[-1])  # after the last rollout too, for who goes on


def test_without_updates_the_learner_ends_with_the_policys_encoder(run, level, tmp_path):
    idle = ContinualConfig(updates_per_rollout=0, every=1)
    alone = watched(run, level).learn(64)
    callback = ContinualVASECallback(config=idle, save_to=tmp_path / "after")
    agent = watched(run, level).learn(64, callback=callback)
    assert all(map(equal, agent.after, alone.after))  # as if there were no callback
    assert equal(state_of(callback.learner.model), agent.after[-1])
    assert equal(state_of(load_learner(tmp_path / "after").model), agent.after[-1])


def test_learning_on_does_not_go_back_to_the_run_folder(run, level):
    agent, witness = watched(run, level), Witness()
    agent.learn(64)
    agent.learn(32, callback=CallbackList([ContinualVASECallback(config=BRISK), witness]))
    assert equal(witness.seen[0], agent.after[1])


class Published(ContinualVASECallback):
    """Notes whether all networks have the learner's encoder once it has learnt."""

    reached: list[bool]

    def _on_rollout_start(self) -> None:
        step = self.learner.step
        super()._on_rollout_start()
        if self.learner.step != step:
            learnt = state_of(self.learner.model)
            self.reached.append(
                all(equal(state_of(extractor), learnt) for extractor in extractors_of(self.model.policy))
            )


@pytest.mark.parametrize("algorithm", [DQN, SAC])
def test_off_policy(run, level, agent, algorithm):
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode="finetune")
    made = agent(algorithm, level(continuous=algorithm is SAC), kwargs)
    callback = Published(config=ContinualConfig(updates_per_rollout=2, every=32, pairs=4))
    callback.reached = []
    witness = Witness()
    made.learn(120, callback=CallbackList([callback, witness]))
    assert callback.learner.step == 6 and callback.reached == [True] * 3  # targets too
    changes = sum(not equal(*pair) for pair in zip(witness.seen, witness.seen[1:], strict=False))
    assert changes > 3  # by gradients in between too


def test_all_networks_get_what_is_published_and_the_mean_is_taken_over(run, level, agent):
    made = agent(SAC, level(continuous=True), VASEFeaturesExtractor.policy_kwargs(run, mode="finetune"))
    model = load_learner(run).model
    networks = (made.policy.actor, made.policy.critic, made.policy.critic_target)
    with torch.no_grad():
        for network, value in zip(networks, (1.0, 3.0, 100.0), strict=True):
            network.features_extractor.encoder.mean.weight.fill_(value)
    take_over_encoder(model, made.policy)
    assert torch.equal(model.encoder.mean.weight, torch.full_like(model.encoder.mean.weight, 2.0))
    for extractor in extractors_of(made.policy):
        extractor.publish(model, mask=torch.ones(4, dtype=torch.bool), step=1)
        assert torch.equal(extractor.encoder.mean.weight, model.encoder.mean.weight)
    assert isinstance(networks[0].features_extractor.encoder.mean.weight, torch.nn.Parameter)
