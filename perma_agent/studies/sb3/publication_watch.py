"""Publication watch: when the policy's copy of the encoder changes, and what that alone does to features and policy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.distributions import Categorical, kl_divergence

from perma_agent.sb3.seeing.features_extractor import VASEFeaturesExtractor, extractors_of


@dataclass(frozen=True, kw_only=True)
class RolloutStart:
    """What was seen at the beginning of a rollout."""

    timesteps: int
    """Of the agent."""
    published: bool
    """Whether the copy changed here."""
    elsewhere: bool
    """Whether it had changed since the last rollout began: in its midst, or while the policy was trained."""
    step: int
    """Batches the learner had seen when the present copy was made."""
    moved: tuple[float, ...]
    """How far the change moved the features of each set of probes, see `feature_move`."""
    policy_kl: tuple[float, ...]
    """KL(policy before ‖ policy after) on each set, mean over its frames, nats: what the change did to actions."""
    information: tuple[float, ...]
    """What actions then tell of frames on each set, see `action_information`."""
    update_kl: float
    """PPO's own approximate KL of the update of the policy before this rollout, nats; NaN before the first."""


@dataclass(frozen=True)
class _Look:
    digest: bytes
    features: tuple[Tensor, ...]
    actions: tuple[Categorical, ...]


class PublicationWatch(CallbackList):
    """Runs callbacks, and looks at the policy before and after they act at the beginning of each rollout.

    Args:
        callbacks: `ContinualVASECallback` among them, or not.
        probes: sets of frames to look at, uint8, each of shape `[B, C, H, W]` as the policy's own observations.
    """

    def __init__(self, callbacks: Sequence[BaseCallback], *, probes: Sequence[np.ndarray]) -> None:
        super().__init__(list(callbacks))
        self.starts: list[RolloutStart] = []
        self._probes = [torch.as_tensor(frames) for frames in probes]
        self._digest: bytes | None = None

    def _on_rollout_start(self) -> None:
        before = self._look()
        super()._on_rollout_start()
        after = self._look()
        self.starts.append(
            RolloutStart(
                timesteps=self.model.num_timesteps,
                published=after.digest != before.digest,
                elsewhere=self._digest not in (None, before.digest),
                step=self._extractor.published_step,
                moved=tuple(map(feature_move, before.features, after.features)),
                policy_kl=tuple(map(_mean_kl, before.actions, after.actions)),
                information=tuple(map(action_information, after.actions)),
                update_kl=float(self.logger.name_to_value.get("train/approx_kl", math.nan)),
            )
        )
        self._digest = after.digest

    @property
    def _extractor(self) -> VASEFeaturesExtractor:
        return extractors_of(self.model.policy)[0]

    @torch.no_grad()
    def _look(self) -> _Look:
        policy = self.model.policy
        assert isinstance(policy, ActorCriticPolicy)  # of PPO
        features, actions = [], []
        for frames in self._probes:
            features.append(self._extractor(frames.to(policy.device).float() / 255).clone())
            found = policy.get_distribution(frames.to(policy.device)).distribution
            assert isinstance(found, Categorical)  # our levels' actions are names
            actions.append(Categorical(logits=found.logits.double()))  # a KL of 1e-8 is not lost in rounding
        return _Look(_digest(self._extractor), tuple(features), tuple(actions))


def feature_move(before: Tensor, after: Tensor) -> float:
    """How far features of the same frames moved, in units of their own spread.

        √(mean_b ‖f'_b - f_b‖²) / √(mean_b ‖f_b - f̄‖²)

    Args:
        before: f, shape `[B, D]`.
        after: f', the same frames in the same order.

    Returns:
        0 for features that stayed, about √2 for those of a code that has nothing to do with the earlier one but has its
        mean and spread; infinite where the earlier features are all alike and the later ones are not these.
    """
    moved = float((after - before).square().sum(dim=1).mean().sqrt())
    spread = float((before - before.mean(dim=0)).square().sum(dim=1).mean().sqrt())
    if not moved:
        return 0.0
    return moved / spread if spread else math.inf


def action_information(actions: Categorical) -> float:
    """How much a policy depends on what it sees: the information of an action about the frame, in nats.

        I = H(mean_b π_b) - mean_b H(π_b)

    Args:
        actions: π_b, the policy's distribution on each of B frames.

    Returns:
        0 for a policy that acts alike whatever it sees, the logarithm of the number of actions at most. A change of
        features disturbs no policy that does not look at them, so a KL at a publication is read beside this.
    """
    each: Tensor = actions.probs
    entropies = torch.special.entr(torch.stack([each.mean(dim=0), *each])).sum(dim=1)
    return max(float(entropies[0] - entropies[1:].mean()), 0.0)


def _mean_kl(before: Categorical, after: Categorical) -> float:
    return float(kl_divergence(before, after).mean())


def _digest(extractor: VASEFeaturesExtractor) -> bytes:
    """Of all numbers that the published copy holds."""
    found = hashlib.sha256()
    for name, tensor in extractor.state_dict().items():
        found.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.digest()
