"""The published copy changes when a rollout begins and at no other moment, for all networks at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sb3_contrib import QRDQN, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from perma_agent.sb3 import ContinualConfig, ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.seeing.features_extractor import extractors_of

OFF_POLICY = {"buffer_size": 64, "learning_starts": 4, "train_freq": 4, "batch_size": 4}
ON_POLICY = {"n_steps": 8}


class Witness(BaseCallback):
    """Notes a weight and the mask of every network's encoder at every hook; stands behind what it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.rollouts: list[list[list[tuple[float, ...]]]] = []

    def note(self) -> None:
        seen = [
            (*extractor.encoder.mean.weight.flatten().tolist(), *extractor.published.mask.tolist())
            for extractor in extractors_of(self.model.policy)
        ]
        self.rollouts[-1].append(seen)

    def _on_rollout_start(self) -> None:
        if self.rollouts:
            self.rollouts[-1].append(self.after_training)
        self.rollouts.append([])
        self.note()

    def _on_step(self) -> bool:
        self.note()
        return True

    def _on_rollout_end(self) -> None:
        self.note()

    @property
    def after_training(self) -> Any:
        """What the hook before the publication of the next saw."""
        return self.before.seen


class Before(BaseCallback):
    """Stands in front of the callback: notes what the policy was trained with to the end."""

    seen: Any = None

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.witness = witness
        witness.before = self

    def _on_rollout_start(self) -> None:
        self.seen = [
            (*extractor.encoder.mean.weight.flatten().tolist(), *extractor.published.mask.tolist())
            for extractor in extractors_of(self.model.policy)
        ]

    def _on_step(self) -> bool:
        return True


@pytest.mark.parametrize("algorithm", [PPO, A2C, RecurrentPPO, DQN, QRDQN, SAC, TD3])
def test_publications(pictures_run, pictures, kinds, algorithm):
    on_policy = algorithm in (PPO, A2C, RecurrentPPO)
    options = ON_POLICY | ({} if algorithm is A2C else {"batch_size": 8}) if on_policy else OFF_POLICY
    kwargs: dict[str, Any] = VASEFeaturesExtractor.policy_kwargs(pictures_run) | {"net_arch": [4]}
    if on_policy:
        kwargs["share_features_extractor"] = False
    if algorithm is RecurrentPPO:
        kwargs["lstm_hidden_size"] = 4
    policy = "CnnLstmPolicy" if algorithm is RecurrentPPO else "CnnPolicy"
    venv = pictures(kinds["channels last"], continuous=algorithm in (SAC, TD3))
    agent = algorithm(policy, venv, policy_kwargs=kwargs, seed=0, device="cpu", **options)
    callback = ContinualVASECallback(config=ContinualConfig(updates_per_rollout=1, every=16, pairs=4, offsets=(1,)))
    witness = Witness()
    agent.learn(96, callback=CallbackList([Before(witness), callback, witness]))
    assert len(witness.rollouts) >= 6
    for moments in witness.rollouts:
        # From the beginning of a rollout until the policy has learnt from it: one encoder for all of its networks.
        assert len({network for moment in moments for network in moment}) == 1
    different = len({moments[0][0] for moments in witness.rollouts})
    assert different == (callback.learner.step if on_policy else callback.learner.step + 1) > 3


def test_a_returning_encoder_gives_the_same_features_again(pictures_run, pictures, kinds, learner):
    # Features are a function of what was published last and of nothing else.
    kwargs = VASEFeaturesExtractor.policy_kwargs(pictures_run)
    agent = PPO("CnnPolicy", pictures(kinds["stack"]), policy_kwargs=kwargs, n_steps=8, batch_size=8, device="cpu")
    extractor = extractors_of(agent.policy)[0]
    frames = torch.randint(0, 256, (6, 9, 40, 40), dtype=torch.uint8)
    first = agent.policy.extract_features(frames)
    model, mask = type(learner().model)(extractor.config), torch.ones(3, dtype=torch.bool)
    model.encoder.load_state_dict(extractor.encoder.state_dict())
    with torch.no_grad():
        model.encoder.mean.bias.add_(1.0)
    extractor.publish(model, mask=mask, step=1)
    assert torch.allclose(agent.policy.extract_features(frames), first + 1.0, atol=1e-5)
    with torch.no_grad():
        model.encoder.mean.bias.sub_(1.0)
    assert torch.allclose(agent.policy.extract_features(frames), first + 1.0, atol=1e-5)  # not before it is published
    extractor.publish(model, mask=mask, step=2)
    assert torch.allclose(agent.policy.extract_features(frames), first, atol=1e-6)
