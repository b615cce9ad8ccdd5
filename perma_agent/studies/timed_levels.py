"""Timing levels: a block of steps of each kind in turn, so that all of them meet the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

from perma_agent.envs import make_level
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.wrappers import ObserveFrames, RecordTrajectories, TolerantVecEnv

ORIGINAL = "MiniWorld-FourRooms-v0"
"""MiniWorld's own level that ours are held against."""
MOVES = 3
"""Turn left, turn right, forward: the actions that all levels share, MiniWorld's own too."""
ARRANGEMENTS = ("dummy", "recorded", "subproc", "tolerant")
"""DummyVecEnv, the same while it is recorded, SubprocVecEnv and TolerantVecEnv."""

Seconds = dict[str, list[float]]
"""By what was timed: how long each block took."""


class TimedLevel(gym.Wrapper[Any, Any, Any, Any]):
    """A level that times itself, random moves and resets included.

    Args:
        env: the level.
        seed: of its first episode and of the moves.
        flush: called at the end of each block, within the time: what is left to be done.
    """

    def __init__(self, env: gym.Env[Any, Any], *, seed: int, flush: Callable[[], None] | None = None) -> None:
        super().__init__(env)
        self._rng, self._flush = np.random.default_rng(seed), flush
        self.env.reset(seed=seed)

    def time_steps(self, steps: int) -> float:
        """Take so many steps; the seconds they took."""
        moves = self._rng.integers(MOVES, size=steps).tolist()
        began = time.perf_counter()
        for move in moves:
            _, _, terminated, truncated, _ = self.env.step(move)
            if terminated or truncated:
                self.env.reset()
        if self._flush is not None:
            self._flush()
        return time.perf_counter() - began


def time_stacks(
    level: str, *, rounds: int, block: int, seed: int, folder: Path, on_block: Callable[[float], None]
) -> Seconds:
    """Time a level bare, wrapped and recorded, and MiniWorld's own FourRooms beside it.

    Args:
        level: id of the level; all kinds are made by `gymnasium.make`, with 64×64 frames.
        rounds: blocks of each; in every round each kind has one, and the order moves on.
        block: steps in a block.
        seed: of levels and moves.
        folder: for what is recorded.
        on_block: called with 1 after each block.

    Returns:
        Seconds of each block of `original`, `bare`, `wrapped` (Monitor, ObserveFrames) and `recorded` (wrapped, and
        RecordTrajectories until all is committed), `rounds` each.
    """
    makers: Mapping[str, Callable[[], gym.Env[Any, Any]]] = {
        "original": partial(_original, seed),
        "bare": partial(_bare, level, seed),
        "wrapped": partial(_wrapped, level, seed),
        "recorded": partial(_recorded, level, seed, folder / "stack"),
    }
    venv = SubprocVecEnv(list(makers.values()), start_method="spawn")
    try:
        timers = {name: partial(_ask, venv, number, block) for number, name in enumerate(makers)}
        return take_turns(timers, rounds=rounds, on_block=on_block)
    finally:
        venv.close()


def time_arrangements(
    level: str, *, copies: int, rounds: int, block: int, seed: int, folder: Path, on_block: Callable[[float], None]
) -> Seconds:
    """Time copies of a level side by side in each of `ARRANGEMENTS`.

    Args:
        level: id of the level; each copy has a Monitor.
        copies: in parallel.
        rounds: as for `time_stacks`.
        block: steps of all copies together in a block.
        seed: of levels and moves.
        folder: for what is recorded.
        on_block: called with 1 after each block.
    """
    choice = LevelChoice(id=level)
    makers = [partial(_monitored, level)] * copies
    venvs: dict[str, VecEnv] = {}
    try:
        venvs["dummy"] = make_copies([choice], copies=copies)
        venvs["recorded"] = RecordTrajectories(make_copies([choice], copies=copies), folder / "arrangement")
        venvs["subproc"] = SubprocVecEnv(list(makers), start_method="spawn")
        venvs["tolerant"] = TolerantVecEnv(makers)
        timers = {}
        for name, venv in venvs.items():
            venv.seed(seed)
            venv.reset()
            timers[name] = partial(_time_venv, venv, max(1, block // copies), np.random.default_rng(seed))
        return take_turns(timers, rounds=rounds, on_block=on_block)
    finally:
        for venv in venvs.values():
            venv.close()


def take_turns(timers: Mapping[str, Callable[[], float]], *, rounds: int, on_block: Callable[[float], None]) -> Seconds:
    """Let each timer run once a round, in an order that moves on by one; after a round that does not count.

    Args:
        timers: by name; each runs a block and says how long it took.
        rounds: that count.
        on_block: called with 1 after each block that counts.
    """
    names = list(timers)
    seconds: Seconds = {name: [] for name in names}
    for timer in timers.values():
        timer()
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            seconds[name].append(timers[name]())
            on_block(1.0)
    return seconds


def _ask(venv: SubprocVecEnv, number: int, steps: int) -> float:
    return float(venv.env_method("time_steps", steps, indices=[number])[0])


def _time_venv(venv: VecEnv, steps: int, rng: np.random.Generator) -> float:
    moves = rng.integers(MOVES, size=(steps, venv.num_envs))
    began = time.perf_counter()
    for move in moves:
        venv.step(move)
    if isinstance(venv, RecordTrajectories):
        venv.flush()
    return time.perf_counter() - began


def _original(seed: int) -> gym.Env[Any, Any]:
    """As it comes, in a process that has none of our repairs and savings in it."""
    import pyglet

    pyglet.options["headless"] = True
    import miniworld  # noqa: F401  registers its levels

    return TimedLevel(gym.make(ORIGINAL, obs_width=64, obs_height=64), seed=seed)


def _bare(level: str, seed: int) -> gym.Env[Any, Any]:
    return TimedLevel(make_level(level), seed=seed)


def _wrapped(level: str, seed: int) -> gym.Env[Any, Any]:
    return TimedLevel(ObserveFrames(_monitored(level)), seed=seed)


def _recorded(level: str, seed: int, store: Path) -> gym.Env[Any, Any]:
    recorded = RecordTrajectories(ObserveFrames(_monitored(level)), store, policy="random")
    return TimedLevel(recorded, seed=seed, flush=recorded.flush)


def _monitored(level: str) -> gym.Env[Any, Any]:
    return Monitor(make_level(level))
