"""The cells of arms: PPO learns a level as its arm sees it, and then plays it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from perma_agent.evaluation.policies import EpisodeStatistics, evaluate_on_level
from perma_agent.studies.levels import make_copies
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.policy_training import EpisodeLog, PolicyConfig
from perma_agent.studies.transfer.sample_efficiency.arms import ARMS, Seen
from perma_agent.studies.transfer.sample_efficiency.config import SampleEfficiency
from perma_agent.studies.transfer.sample_efficiency.pretraining import code_folder, level_seed

TESTING = 8_000
"""Added to the level seed for the episodes after training."""
NEWEST = 100
"""Episodes whose mean is noted beside the sums of each rollout."""


class RolloutClock(BaseCallback):
    """Notes the level steps and the wall-clock seconds since the beginning at the end of rollouts.

    Args:
        every: level steps between two notes, a whole number of rollouts: arms with shorter ones are noted as often.
    """

    def __init__(self, *, every: int) -> None:
        super().__init__()
        self.every = every
        self.steps: list[int] = []
        self.seconds: list[float] = []
        self._began = 0.0

    def _on_training_start(self) -> None:
        self._began = time.perf_counter()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self.num_timesteps % self.every:
            return
        self.steps.append(self.num_timesteps)
        self.seconds.append(time.perf_counter() - self._began)


def measure_policy(
    config: SampleEfficiency, name: str, arm: str, seed: int, folder: Path, advance: Advance
) -> Measured:
    """Train an arm's policy on a level and let it play; what is pretrained must be there.

    Args:
        config: how much.
        name: of the level.
        arm: of `ARMS`.
        seed: of the policy and the levels.
        folder: of the study's results.
        advance: told of the level steps.

    Raises:
        RunFolderError: the code's run folder is missing or damaged.
    """
    level, policy = config.levels[name], replace(config.policy_on(name, arm), seed=level_seed(seed))
    run = code_folder(folder, name, seed) / (ARMS[arm].code or "")
    venv = make_copies([level], copies=policy.copies)
    try:
        seen = ARMS[arm].see(venv, run, policy.continual, seed)
        agent = _agent(seen, policy)
        log, clock = EpisodeLog(lambda steps: advance(float(steps))), RolloutClock(every=config.rollout)
        began, busy = time.perf_counter(), time.process_time()
        agent.learn(policy.timesteps, callback=CallbackList([log, clock, *seen.callbacks]))
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        played = _play(agent, episodes=config.episodes, seed=level_seed(seed) + TESTING)
    finally:
        venv.close()
    figures = {
        "final_return": float(played.returns.mean()),
        "final_success": float(played.successes.mean()),
        "learning_seconds": seconds,
        "learning_cpu_seconds": busy,  # the same on a machine that has nothing else to do
        "timesteps": float(agent.num_timesteps),
    }
    return Measured(figures=figures, series=series_of(log, clock))


def series_of(log: EpisodeLog, clock: RolloutClock) -> Mapping[str, Any]:
    """A training's episodes by rollout.

    Returns:
        `steps` at the end of each rollout, the `seconds` until then, how many `episodes` ended in it with which sum of
        `returns` and `successes`, and the mean return of the newest `NEWEST` episodes until then (None before the
        first).
    """
    steps = np.array(clock.steps, dtype=np.int64)
    ends, returns = np.array(log.ends, dtype=np.int64), np.array(log.returns)
    counts = np.searchsorted(ends, steps, side="right")  # episodes ended until then
    totals, solved = (
        np.concatenate([[0.0], np.cumsum(np.array(values, dtype=np.float64))])[counts]
        for values in (log.returns, log.successes)
    )
    newest = [float(returns[max(0, count - NEWEST) : count].mean()) if count else None for count in counts]
    return {
        "steps": steps.tolist(),
        "seconds": np.round(clock.seconds, 2).tolist(),
        "episodes": np.diff(counts, prepend=0).tolist(),
        "returns": np.round(np.diff(totals, prepend=0.0), 4).tolist(),
        "successes": np.diff(solved, prepend=0.0).astype(int).tolist(),
        "newest_100": newest,
    }


def _agent(seen: Seen, policy: PolicyConfig) -> PPO:
    """PPO with one set of settings for all arms."""
    return PPO(
        seen.policy,
        seen.venv,
        seed=policy.seed,
        policy_kwargs={**seen.policy_kwargs, "net_arch": list(policy.layers)},
        device="cpu",
        **policy.arguments(),
    )


def _play(agent: PPO, *, episodes: int, seed: int) -> EpisodeStatistics:
    """Episodes with actions drawn from the policy, as in training."""
    levels = agent.get_env()
    assert levels is not None  # it was made with them
    with torch.random.fork_rng(devices=[]):  # SB3's policies draw from torch's global generator
        torch.manual_seed(seed)
        return evaluate_on_level(
            lambda observations: agent.predict(observations, deterministic=False)[0],
            levels,
            episodes=episodes,
            seed=seed,
        )
