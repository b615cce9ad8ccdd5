"""Timing agents: PPO through each kind of eyes learns a block in turn, so that all of them meet the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from perma_agent.sb3 import ContinualVASECallback, EncodedObservation, VASEFeaturesExtractor
from perma_agent.sb3.seeing.extractor_config import Mode
from perma_agent.studies.levels import make_copies
from perma_agent.studies.sb3.config import SpeedConfig
from perma_agent.studies.timed_levels import Seconds, take_turns

REFERENCE = "nature"
"""The arm that others are held against."""
EYES: Mapping[str, str] = {
    REFERENCE: "NatureCNN (SB3's CnnPolicy)",
    "frozen": "VASE frozen, EncodedObservation",
    "frozen_extractor": "VASE frozen, features extractor",
    "random": "untrained encoder, features extractor",
    "continual": "VASE continual, with its callback",
    "finetune": "VASE finetuned by the policy's gradient",
}
"""Arms in words."""
LEVEL = "level"
"""Timed with them: the level's own steps, with random moves and no agent, which no agent can outrun."""


class Timed(Protocol):
    """Takes the steps of a block, and can be closed."""

    def __call__(self) -> float:
        """Take them; the seconds they took."""

    def close(self) -> None:
        """Close the levels."""


class TimedAgent:
    """An agent that goes on learning, a block at each call: rollouts, updates of the policy and, if so, of the VASE.

    Args:
        agent: of SB3; told to log nowhere.
        steps: of a block, over all copies.
        callback: of `learn`.
    """

    def __init__(self, agent: PPO, *, steps: int, callback: BaseCallback | None = None) -> None:
        agent.set_logger(Logger(None, []))
        self.agent, self.callback, self._steps = agent, callback, steps

    def __call__(self) -> float:
        """Learn a block; the seconds it took."""
        began = time.perf_counter()
        self.agent.learn(self._steps, callback=self.callback, reset_num_timesteps=False)
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the levels."""
        assert self.agent.env is not None  # it was made with one
        self.agent.env.close()


class TimedSteps:
    """Levels that are stepped at random.

    Args:
        venv: the levels.
        steps: of a block, over all copies.
        seed: of levels and moves.
    """

    def __init__(self, venv: VecEnv, *, steps: int, seed: int) -> None:
        self._venv, self._steps = venv, steps // venv.num_envs
        venv.seed(seed)
        venv.reset()
        venv.action_space.seed(seed)

    def __call__(self) -> float:
        """Step them; the seconds it took."""
        space = self._venv.action_space
        moves = [np.array([space.sample() for _ in range(self._venv.num_envs)]) for _ in range(self._steps)]
        began = time.perf_counter()
        for move in moves:
            self._venv.step(move)
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the levels."""
        self._venv.close()


def time_agents(config: SpeedConfig, run: Path, *, threads: int, on_block: Callable[[float], None]) -> Seconds:
    """Time all arms in this process, which should do nothing else, on a machine that does nothing else.

    Args:
        config: how much.
        run: run folder of the VASE; it is only read.
        threads: of torch; what it had before is restored.
        on_block: called with 1 after each block.

    Returns:
        Seconds of each block of each of `EYES` and of `LEVEL`.
    """
    with torch_threads(threads), ExitStack() as stack:
        timers: dict[str, Callable[[], float]] = {}
        for name in (*EYES, LEVEL):
            timed = make_timed(name, config, run)
            stack.callback(timed.close)
            timers[name] = timed
        return take_turns(timers, rounds=config.rounds, on_block=on_block)


def make_timed(name: str, config: SpeedConfig, run: Path) -> Timed:
    """One of `EYES` or `LEVEL`, about to begin."""
    venv: VecEnv = make_copies([config.level], copies=config.policy.copies)
    if name == LEVEL:
        return TimedSteps(venv, steps=config.block, seed=config.policy.seed)
    if name == REFERENCE:
        return TimedAgent(_ppo("CnnPolicy", venv, config), steps=config.block)
    if name == "frozen":
        return TimedAgent(_ppo("MlpPolicy", EncodedObservation(venv, run), config), steps=config.block)
    modes: Mapping[str, Mode] = {"frozen_extractor": "frozen"}
    mode: Any = modes.get(name, name)
    kwargs = VASEFeaturesExtractor.policy_kwargs(run, mode=mode)
    callback = ContinualVASECallback(config=config.policy.continual) if mode == "continual" else None
    return TimedAgent(_ppo("CnnPolicy", venv, config, policy_kwargs=kwargs), steps=config.block, callback=callback)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """So many threads of torch inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _ppo(kind: str, venv: VecEnv, config: SpeedConfig, **options: Any) -> PPO:
    """PPO with the settings that all arms share, and SB3's default networks behind the eyes."""
    return PPO(kind, venv, seed=config.policy.seed, device="cpu", **config.policy.arguments(), **options)
