"""Continual callback: while an agent learns, its VASE goes on learning from what the agent sees."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from perma_agent.continual import Learner, Update
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.errors import RunFolderError
from perma_agent.sb3.experience import Experience, Window, pairs_of, replay_experience, rollout_experience
from perma_agent.sb3.features_extractor import VASEFeaturesExtractor, extractors_of

NEWEST = 8_192
"""Frames that are put together from short rollouts, or taken from a replay buffer, for one round at most."""

_STATES = ("environment/index", "environment/count", "environment/pending", "latents/masked")
"""Metrics of which the last is logged, since a mean of them says nothing."""


@dataclass(frozen=True, kw_only=True)
class ContinualConfig:
    """How the VASE goes on learning beside the agent."""

    updates_per_rollout: int = 16
    """Updates of the learner after each rollout; 0 leaves the encoder as it is."""
    every: int = 512
    """Timesteps between two rounds of updates, at least: shorter rollouts (A2C) are put together, and off-policy
    algorithms (DQN, SAC) have a round as often as this."""
    pairs: int = 32
    """Pairs of frames per update."""
    offsets: tuple[int, ...] = (1, 4, 16)
    """Frames between the two of a pair."""
    window: int = 8_192
    """Earlier frames of the same environment kept to learn from (100 MB at 64x64 RGB); 0 for none."""
    save_every: int | None = None
    """Rounds of updates between two saves; None saves at the end of training only."""
    history: int = 10_000
    """Rounds that are remembered for the report; the oldest go first."""
    seed: int = 0
    """Of the choice of pairs."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", tuple(self.offsets))
        if self.updates_per_rollout < 0 or self.pairs < 1 or self.window < 0 or self.every < 1 or self.history < 1:
            raise ValueError(f"expected no negative numbers and at least one of each pair, got {self}")
        if not self.offsets or min(self.offsets) < 1 or (self.save_every is not None and self.save_every < 1):
            raise ValueError(f"expected offsets and save_every of at least 1, got {self}")


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """What one round of updates found."""

    timesteps: int
    """Of the agent."""
    step: int
    """Batches that the learner had seen after it."""
    environment: int | None
    """The environment inferred last."""
    environments: int
    """How many are known."""
    opened: bool
    """Whether a new one was opened."""
    undecided: int
    """Batches that surprised and were not learnt from."""
    atypicality: tuple[float, ...]
    """α of each latent in nats, mean over the batches."""
    masked: tuple[int, ...]
    """Latents masked in the environment inferred last."""


class ContinualVASECallback(BaseCallback):
    """Updates the learner after each rollout and publishes its encoder when the next one begins.

    In between, the policy is trained with the encoder that the rollout was collected with: PPO compares the policy's
    probabilities with those stored in the rollout, which would otherwise change with the features. The environment is
    inferred from the newest frames; while nothing speaks for a change, every second batch is drawn from a window of
    earlier frames of the same environment.

    Example:
        >>> agent.learn(1_000_000, callback=ContinualVASECallback(save_to="runs/agent"))  # doctest: +SKIP

    Args:
        run: run folder to go on from; by default the one the agent's features extractor was made with.
        learner: go on with this one instead, e.g. `learner` of an earlier callback.
        config: how much to learn, from what, and when to save.
        save_to: run folder to save the learner to at the end of training, with the history beside; by default nothing
            is saved. The run folder it came from is overwritten only if it is named here.
        verbose: of SB3's callbacks; nothing is printed.

    Raises:
        ValueError: both `run` and `learner` are given, or the agent has no extractor that may be renewed.
        RunFolderError: the run folder cannot be read, holds another model, or is older than the agent's encoder.
    """

    def __init__(
        self,
        run: str | Path | None = None,
        *,
        learner: Learner | None = None,
        config: ContinualConfig | None = None,
        save_to: str | Path | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        if run is not None and learner is not None:
            raise ValueError("expected run or learner, got both; give the one to go on from")
        self.config = config or ContinualConfig()
        self.save_to = save_to
        self._run = run
        self._learner = learner
        self._extra: dict[str, Any] = {}
        self._rng = np.random.default_rng(self.config.seed)
        self._window = Window(frames=self.config.window, offsets=self.config.offsets)
        self._history: deque[RoundRecord] = deque(maxlen=self.config.history)
        self._waiting: Experience | None = None
        self._extractors: list[VASEFeaturesExtractor] = []
        self._published: int | None = None
        self._rounds = 0
        self._last_round = 0

    @property
    def learner(self) -> Learner:
        """The learner; there is one from the beginning of training on."""
        if self._learner is None:
            raise ValueError("expected a learner, got none yet; pass one, or ask after training has begun")
        return self._learner

    @property
    def history(self) -> list[RoundRecord]:
        """What the rounds of updates found, oldest first."""
        return list(self._history)

    def save(self) -> None:
        """Write the learner and the history to `save_to`; done at the end of training, but not when it is interrupted.

        Raises:
            RunFolderError: the folder cannot be written; what was there is intact.
        """
        if self.save_to is None:
            return
        training = {
            "algorithm": type(self.model).__name__,
            "timesteps": self.model.num_timesteps,
            "config": asdict(self.config),
            "history": [asdict(record) for record in self._history],
        }
        earlier = self._extra.get("continual", [])
        save_run(self.learner, self.save_to, extra={**self._extra, "continual": [*earlier, training]})

    def _init_callback(self) -> None:
        self._extractors = extractors_of(self.model.policy)
        if not self._extractors:
            raise ValueError(
                "expected an agent with a VASEFeaturesExtractor, got another policy; make it with "
                "policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run)"
            )
        if any(extractor.mode == "frozen" for extractor in self._extractors):
            raise ValueError(
                "expected an extractor in mode 'continual', got 'frozen'; make the agent with "
                "VASEFeaturesExtractor.policy_kwargs(run, mode='continual') or leave out ContinualVASECallback"
            )
        if self._learner is None:
            self._learner = self._load(self._run or self._extractors[0].run)
        elif self._learner.model.config != self._extractors[0].config:
            raise ValueError(self._another_model(self._learner))

    def _another_model(self, learner: Learner) -> str:
        return (
            f"expected a learner of the agent's model {self._extractors[0].config}, got {learner.model.config}; "
            "make the agent from the same run folder"
        )

    def _load(self, run: str | Path) -> Learner:
        learner = load_learner(run, device=self.model.device)
        if learner.model.config != self._extractors[0].config:
            raise RunFolderError(self._another_model(learner))
        published = max(extractor.published_step for extractor in self._extractors)
        if learner.step < published:
            raise RunFolderError(
                f"expected a learner that has seen at least the {published} batches behind this agent's encoder, got "
                f"{learner.step} in {run}; pass run= the folder that the earlier callback saved to (save_to=)"
            )
        self._extra = load_extra(run)
        return learner

    def _on_training_start(self) -> None:
        self._published = None
        self._waiting = None
        self._last_round = self.model.num_timesteps

    def _on_rollout_start(self) -> None:
        model = self.model
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None and self._is_due():
            steps = min(model.num_timesteps - self._last_round, NEWEST)
            self._update(replay_experience(model.replay_buffer, rows=max(steps // model.n_envs, 1)))
        if self._published != self.learner.step:
            for extractor in self._extractors:
                extractor.publish(self.learner.model, mask=self.learner.mask, step=self.learner.step)
            self._published = self.learner.step

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if not isinstance(self.model, OnPolicyAlgorithm):
            return
        newest = rollout_experience(self.model.rollout_buffer)
        if self._waiting is not None:
            newest = Experience.concatenate([self._waiting, newest])
        if self._is_due():
            self._waiting = None
            self._update(newest)
        else:
            self._waiting = newest.newest(NEWEST)

    def _on_training_end(self) -> None:
        self.save()

    def _is_due(self) -> bool:
        return self.model.num_timesteps - self._last_round >= self.config.every

    def _update(self, newest: Experience) -> None:
        """One round: updates on the newest frames, and on earlier ones of the same environment."""
        if newest.longest_episode <= min(self.config.offsets):
            return  # episodes end too soon for a pair; later ones may not
        self._last_round = self.model.num_timesteps
        fresh, updates = pairs_of(newest, offsets=self.config.offsets), list[Update]()
        before = self.learner.environment
        for index in range(self.config.updates_per_rollout):
            calm = not updates or (updates[-1].environment == before and self.learner.inference.pending is None)
            source = self._window if index % 2 and calm and len(self._window) else fresh
            updates.append(self.learner.update(source.draw(self.config.pairs, rng=self._rng)))
        if not updates:
            return
        if any(update.environment not in (None, before) for update in updates):
            self._window.clear()
        if all(update.environment == self.learner.environment for update in updates):
            self._window.add(newest)
        self._remember(updates)
        self._rounds += 1
        if self.config.save_every is not None and self._rounds % self.config.save_every == 0:
            self.save()

    def _remember(self, updates: list[Update]) -> None:
        for name, value in _summary(updates).items():
            self.logger.record(f"vase/{name}", value)
        self._history.append(
            RoundRecord(
                timesteps=self.model.num_timesteps,
                step=self.learner.step,
                environment=self.learner.environment,
                environments=len(self.learner.inference.records),
                opened=any(update.opened for update in updates),
                undecided=sum(update.environment is None for update in updates),
                atypicality=tuple(torch.stack([update.alpha for update in updates]).mean(dim=0).tolist()),
                masked=tuple(torch.nonzero(~updates[-1].mask).flatten().tolist()),
            )
        )


def _summary(updates: list[Update]) -> dict[str, float]:
    """Means of the metrics over a round; of states the last; nothing of what was not a number all through."""
    names = dict.fromkeys(name for update in updates for name in update.metrics)
    summary = {}
    for name in names:
        values = np.array([update.metrics[name] for update in updates if name in update.metrics])
        known = values[~np.isnan(values)]
        if len(known):
            summary[name] = float(known[-1] if name in _STATES else known.mean())
    return summary
