"""Continual callback: while an agent learns, its VASE goes on learning from what the agent sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from perma_agent.continual import Learner, Update
from perma_agent.continual.checkpoint import load_extra, load_learner, save_run
from perma_agent.data import TrajectoryStore
from perma_agent.errors import RunFolderError
from perma_agent.sb3.learning.bonus_renewal import renew_bonuses
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.sb3.learning.experience import Experience, Window, pairs_of, replay_experience, rollout_experience
from perma_agent.sb3.learning.round_record import RoundRecord, summary
from perma_agent.sb3.learning.stored_pairs import StoredPairs
from perma_agent.sb3.seeing.features_extractor import (
    RENEWABLE,
    VASEFeaturesExtractor,
    extractors_of,
    publish,
    share_encoder,
)
from perma_agent.sb3.seeing.finetuned_encoder import take_over_encoder

NEWEST = 8_192
"""Frames that are put together from short rollouts, or taken from a replay buffer, for one round at most."""


class ContinualVASECallback(BaseCallback):
    """Updates the learner after each rollout and publishes its encoder when the next one begins.

    In between, the policy is trained with the encoder that the rollout was collected with: PPO compares the policy's
    probabilities with those stored in the rollout, which would otherwise change with the features. The environment is
    inferred from the newest frames; while nothing speaks for a change, every second batch is drawn from a window of
    earlier frames of the same environment, or from a store of them.

    The policy's copy changes at one moment only, the beginning of a rollout: for all of its networks, targets included,
    at once. In mode `finetune` the policy's gradient changes it in between, and each round begins with what the
    gradient made of it (`sb3.finetuned_encoder`): there it waits until the policy has learnt from the rollout.

    Example:
        >>> agent.learn(1_000_000, callback=ContinualVASECallback(save_to="runs/agent"))  # doctest: +SKIP

    Args:
        run: run folder to go on from; by default the one the agent's features extractor was made with.
        learner: go on with this one instead, e.g. `learner` of an earlier callback.
        config: how much to learn, from what, and when to save; or its fields by name, as a YAML file has them.
        save_to: run folder to save the learner to at the end of training, with the history beside; by default nothing
            is saved. The run folder it came from is overwritten only if it is named here.
        store: earlier episodes of the level that the agent is on, e.g. those that `RecordTrajectories` records
            meanwhile; takes the place of the window in memory. Episodes from before a change of environment, once it is
            noticed, are left aside.
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
        config: ContinualConfig | Mapping[str, Any] | None = None,
        save_to: str | Path | None = None,
        store: TrajectoryStore | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        if run is not None and learner is not None:
            raise ValueError("expected run or learner, got both; give the one to go on from")
        self.config = config if isinstance(config, ContinualConfig) else ContinualConfig(**(config or {}))
        self.save_to = save_to
        self._run = run
        self._learner = learner
        self._extra: dict[str, Any] = {}
        self._rng = np.random.default_rng(self.config.seed)
        self._earlier: Window | StoredPairs = (
            Window(frames=self.config.window, offsets=self.config.offsets)
            if store is None
            else StoredPairs(store, offsets=self.config.offsets)
        )
        self._history: deque[RoundRecord] = deque(maxlen=self.config.history)
        self._waiting: Experience | None = None
        self._collected = False
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
        mode = self._extractors[0].mode
        if mode not in RENEWABLE:
            raise ValueError(
                f"expected an extractor in mode 'continual', got {mode!r}; make the agent with VASEFeaturesExtractor."
                "policy_kwargs(run, mode='continual') (or 'finetune'), or leave out ContinualVASECallback"
            )
        share_encoder(self._extractors)
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

    @property
    def _finetuned(self) -> bool:
        """Whether the policy's gradient changes the encoder."""
        return self._extractors[0].mode == "finetune"

    def _on_training_start(self) -> None:
        self._published = self.learner.step if self._finetuned else None  # its own encoder is newer than the learner's
        self._waiting = None
        self._collected = False
        self._last_round = self.model.num_timesteps

    def _on_rollout_start(self) -> None:
        model = self.model
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None and self._is_due():
            rows = max(min(model.num_timesteps - self._last_round, NEWEST) // model.n_envs, 1)
            self._update(replay_experience(model.replay_buffer, rows=rows, reading=self._extractors[0].reading))
        self._update_from_waiting()
        if self._published != self.learner.step:
            publish(self.learner, self._extractors)
            renew_bonuses(self.model.get_env(), self.learner)
            self._published = self.learner.step

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self._collected = True
        if not isinstance(self.model, OnPolicyAlgorithm):
            return
        newest = rollout_experience(self.model.rollout_buffer, reading=self._extractors[0].reading)
        if self._waiting is not None:
            newest = Experience.concatenate([self._waiting, newest])
        self._waiting = newest if self._is_due() else newest.newest(NEWEST)
        if not self._finetuned:
            self._update_from_waiting()

    def _on_training_end(self) -> None:
        if self._finetuned and self._collected:  # else the training had ended before it was taken up again
            rounds = self._rounds
            self._update_from_waiting()
            if self._rounds == rounds:  # else the round began with it
                take_over_encoder(self.learner.model, self.model.policy)
        self._collected = False  # rl-zoo3 tells the end twice: the policy's encoder is now older than the learner's
        self.save()

    def _update_from_waiting(self) -> None:
        """A round on the rollouts that wait for one, if it is time."""
        if self._waiting is not None and self._is_due():
            newest, self._waiting = self._waiting, None
            self._update(newest)

    def _is_due(self) -> bool:
        return self.model.num_timesteps - self._last_round >= self.config.every

    def _update(self, newest: Experience) -> None:
        """One round: updates on the newest frames, and on earlier ones of the same environment."""
        if newest.longest_episode <= min(self.config.offsets):
            return  # episodes end too soon for a pair; later ones may not
        if self._finetuned:
            take_over_encoder(self.learner.model, self.model.policy)
        self._last_round = self.model.num_timesteps
        fresh, updates = pairs_of(newest, offsets=self.config.offsets), list[Update]()
        before = self.learner.environment
        for index in range(self.config.updates_per_rollout):
            calm = not updates or (updates[-1].environment == before and self.learner.inference.pending is None)
            source = self._earlier if index % 2 and calm and len(self._earlier) else fresh
            updates.append(self.learner.update(source.draw(self.config.pairs, rng=self._rng)))
        if not updates:
            return
        if before is not None and any(update.environment not in (None, before) for update in updates):
            self._earlier.clear()
        if all(update.environment == self.learner.environment for update in updates):
            self._earlier.add(newest)
        self._remember(updates)
        self._rounds += 1
        if self.config.save_every is not None and self._rounds % self.config.save_every == 0:
            self.save()

    def _remember(self, updates: list[Update]) -> None:
        for name, value in summary(updates).items():
            self.logger.record(f"vase/{name}", value)
        self._history.append(RoundRecord.of(updates, learner=self.learner, timesteps=self.model.num_timesteps))
