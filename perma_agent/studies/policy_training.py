"""Policy training: SB3's PPO sees a level through a VASE that goes on learning, and is then put to the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.continual import Learner
from perma_agent.sb3 import ContinualVASECallback, VASEFeaturesExtractor
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.sb3.resuming.resumable_training import ResumableTraining
from perma_agent.sb3.seeing.extractor_config import Mode
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.ppo_config import PPOConfig


@dataclass(frozen=True, kw_only=True)
class PolicyConfig(PPOConfig):
    """PPO on a VASE's latents."""

    timesteps: int = 40_000
    """Steps of the agent, over all copies."""
    seed: int = 0
    """Of the policy and the levels."""
    save_every: int = 20_000
    """Timesteps between two checkpoints, at least; a process that is killed loses at most so many."""
    keep: int = 2
    """Newest checkpoints that are kept, beside the best by mean return."""
    continual: ContinualConfig = field(default_factory=ContinualConfig)
    """How the VASE goes on learning."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.timesteps < 1 or self.seed < 0:
            raise ValueError(
                f"expected timesteps of at least 1 and a seed of at least 0, got {self.timesteps} and {self.seed}"
            )
        if self.save_every < 1 or self.keep < 1:
            raise ValueError(f"expected save_every and keep of at least 1, got {self.save_every} and {self.keep}")


@dataclass(frozen=True, kw_only=True)
class TrainedPolicy:
    """A policy and the episodes it was trained on."""

    agent: PPO
    """The agent, its extractor within."""
    episode_ends: np.ndarray
    """Timestep at which each training episode ended, int64, shape `[E]`."""
    returns: np.ndarray
    """Of those episodes, float64, shape `[E]`."""
    successes: np.ndarray
    """Of those episodes, bool, shape `[E]`."""


class EpisodeLog(BaseCallback):
    """Notes when each training episode ended and how; moves a progress bar."""

    def __init__(self, on_steps: Callable[[int], bool | None] | None = None) -> None:
        super().__init__()
        self.ends: list[int] = []
        self.returns: list[float] = []
        self.successes: list[bool] = []
        self.stopped = False
        self._shown = 0
        self._on_steps = on_steps

    def resume_state(self) -> dict[str, Any]:
        """What was noted so far."""
        return {"ends": self.ends, "returns": self.returns, "successes": self.successes}

    def resume_from(self, state: Mapping[str, Any]) -> None:
        """Go on from what another process noted."""
        self.ends, self.returns, self.successes = (list(state[name]) for name in ("ends", "returns", "successes"))

    def _on_rollout_start(self) -> None:
        if self._on_steps is not None and self.model.num_timesteps > self._shown:  # of an earlier process
            self._on_steps(self.model.num_timesteps - self._shown)
        self._shown = self.model.num_timesteps

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.ends.append(self.num_timesteps)
                self.returns.append(float(info["episode"]["r"]))
                self.successes.append(bool(info.get("is_success", False)))
        self._shown = self.model.num_timesteps
        self.stopped = self._on_steps is not None and self._on_steps(self.training_env.num_envs) is False
        return not self.stopped


def train_policy(  # noqa: PLR0913  three folders, each of which may be left out
    level: LevelChoice,
    run: str | Path,
    *,
    config: PolicyConfig,
    learner: Learner | None = None,
    save_to: str | Path | None = None,
    checkpoints: str | Path | None = None,
    tensorboard: str | Path | None = None,
    device: str | torch.device = "cpu",
    on_steps: Callable[[int], bool | None] | None = None,
) -> TrainedPolicy:
    """Train PPO on a level, seen through the VASE of a run folder.

    Args:
        level: to train on.
        run: run folder of the VASE.
        config: of PPO and of the VASE's own learning; with no updates the VASE stays as it is.
        learner: goes on with this learner instead of the run folder's.
        save_to: run folder that the VASE is saved to at the end; not saved by default.
        checkpoints: folder to keep checkpoints in; the training goes on from the newest that is there already, bit for
            bit as if it had not been left.
        tensorboard: folder for TensorBoard events.
        device: of the policy and the VASE.
        on_steps: called with the steps just taken, for a progress bar, those of earlier processes first; if it returns
            False, training ends there, after a checkpoint, and the VASE is saved as at the end.

    Raises:
        LevelError: the level cannot be made.
        RunFolderError: the run folder cannot be read or written, or the checkpoints are of another training.
    """
    venv = make_copies([level], copies=config.copies, replayable=checkpoints is not None)
    try:
        agent = make_agent(venv, run, config=config, tensorboard=tensorboard, device=device)
        log = EpisodeLog(on_steps)
        callbacks: list[BaseCallback] = [log]
        if config.continual.updates_per_rollout:
            callbacks.append(ContinualVASECallback(learner=learner, config=config.continual, save_to=save_to))
        if checkpoints is not None:
            callbacks.append(
                ResumableTraining(
                    checkpoints,
                    every=config.save_every,
                    keep=config.keep,
                    on_signal="ignore",
                    stopped=lambda: log.stopped,
                )
            )
        agent.learn(config.timesteps, callback=CallbackList(callbacks), reset_num_timesteps=checkpoints is None)
    finally:
        venv.close()
    return TrainedPolicy(
        agent=agent,
        episode_ends=np.array(log.ends, dtype=np.int64),
        returns=np.array(log.returns),
        successes=np.array(log.successes, dtype=bool),
    )


def make_agent(
    venv: DummyVecEnv,
    run: str | Path,
    *,
    config: PolicyConfig,
    tensorboard: str | Path | None = None,
    device: str | torch.device = "cpu",
) -> PPO:
    """PPO with a small MLP on the masked latents of the run folder's VASE."""
    mode: Mode = "continual" if config.continual.updates_per_rollout else "frozen"
    layers = list(config.layers)
    return PPO(
        "CnnPolicy",
        venv,
        seed=config.seed,
        policy_kwargs=VASEFeaturesExtractor.policy_kwargs(run, mode=mode) | {"net_arch": layers},
        tensorboard_log=None if tensorboard is None else str(tensorboard),
        device=device,
        **config.arguments(),
    )
