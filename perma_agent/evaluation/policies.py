"""Episodes of a policy on a level: returns, lengths and successes, fair to short and long episodes alike.

Stable-Baselines3's own `evaluate_policy` gives returns and lengths, but no successes; hence this one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from perma_agent.errors import LevelError
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval, wilson_interval

Act = Callable[[Any], np.ndarray]
"""Observations of the N copies to their actions, shape `[N, ...]`. For a Stable-Baselines3 model:
`lambda observations: model.predict(observations, deterministic=True)[0]`."""
STEP_LIMIT = 1_000_000
"""Steps of the vector environment after which episodes that never end are given up."""


class VectorLevel(Protocol):
    """What is used of a Stable-Baselines3 `VecEnv`: N copies, each reset in the step that ends its episode."""

    num_envs: int
    """N."""
    action_space: spaces.Space[Any]
    """Of one copy."""

    def seed(self, seed: int | None = None) -> Any:
        """Let the next reset of copy i use `seed + i`."""

    def reset(self) -> Any:
        """Begin N episodes; their first observations."""

    def step(self, actions: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, Any]:
        """Observations, rewards `[N]`, dones `[N]` and N info dicts."""


@dataclass(frozen=True, kw_only=True)
class EpisodeStatistics:
    """E complete episodes of one policy on one level."""

    returns: np.ndarray
    """Sum of the level's own rewards, float64, shape `[E]`."""
    lengths: np.ndarray
    """Steps, int64, shape `[E]`."""
    successes: np.ndarray
    """Bool, shape `[E]`."""
    reported: bool
    """Whether the level itself reported success in every episode; else it was taken from how they ended."""

    @property
    def episodes(self) -> int:
        """E."""
        return len(self.returns)

    @property
    def success_rate(self) -> Estimate:
        """Share of successes in [0, 1], with Wilson's 95% interval over episodes."""
        return wilson_interval(int(self.successes.sum()), self.episodes)

    def mean_return(self, *, rng: np.random.Generator) -> Estimate:
        """Mean return with its 95% bootstrap interval over episodes."""
        return bootstrap_interval(self.returns, rng=rng)


class RandomPolicy:
    """Draws actions uniformly: the level that any trained policy must beat.

    Args:
        action_space: of one copy.
        rng: source of its seed.
    """

    def __init__(self, action_space: spaces.Space[Any], *, rng: np.random.Generator) -> None:
        self._space = copy.deepcopy(action_space)  # seeding the level's own would change what others draw from it
        self._space.seed(int(rng.integers(2**31)))

    def __call__(self, observations: Any) -> np.ndarray:
        """One action for each copy, whatever it sees; shape `[N, ...]`."""
        first = next(iter(observations.values())) if isinstance(observations, Mapping) else observations
        return np.stack([np.asarray(self._space.sample()) for _ in range(len(first))])


def evaluate_on_level(
    act: Act,
    level: VectorLevel,
    *,
    episodes: int,
    seed: int,
    step_limit: int = STEP_LIMIT,
    on_episode: Callable[[], None] | None = None,
) -> EpisodeStatistics:
    """Run a policy until each copy has finished its share of the episodes.

    Copy i plays (episodes + i) // N whole episodes from the first on, and what it plays beyond is not counted. Taking
    the first E episodes to end instead would prefer short ones. Return and length are those of `info["episode"]` where
    a Monitor wrote them (wrappers outside may have changed the reward), else the sum of the rewards and the count of
    steps. An episode is a success if its last info says so under `is_success`; where it says nothing, if it came to an
    end of its own (no time limit) with a positive return.

    Args:
        act: the policy.
        level: N copies of the level; left somewhere in an episode.
        episodes: E, at least 1.
        seed: of the copies' first reset; the same seed, policy and N give the same episodes.
        step_limit: steps after which to give up.
        on_episode: called after each counted episode, for a progress bar.

    Raises:
        LevelError: episodes were still missing at the step limit.
    """
    if episodes < 1:
        raise ValueError(f"expected at least one episode, got {episodes}")
    copies = level.num_envs
    quota = np.array([(episodes + index) // copies for index in range(copies)])
    level.seed(seed)
    observations = level.reset()
    finished: list[list[_Episode]] = [[] for _ in range(copies)]
    returns, lengths = np.zeros(copies), np.zeros(copies, dtype=np.int64)
    for _ in range(step_limit):
        observations, rewards, dones, infos = level.step(act(observations))
        returns += rewards
        lengths += 1
        for index in np.flatnonzero(dones):
            if len(finished[index]) < quota[index]:
                finished[index].append(_episode(infos[index], returned=returns[index], length=lengths[index]))
                if on_episode is not None:
                    on_episode()
            returns[index], lengths[index] = 0.0, 0
        if all(len(done) == share for done, share in zip(finished, quota, strict=True)):
            return _statistics([episode for done in finished for episode in done])
    got = sum(map(len, finished))
    raise LevelError(
        f"expected {episodes} episodes to end within {step_limit} steps, got {got}; give the level max_episode_steps"
    )


@dataclass(frozen=True, kw_only=True)
class _Episode:
    returned: float
    length: int
    success: bool
    reported: bool


def _episode(info: Mapping[str, Any], *, returned: float, length: int) -> _Episode:
    monitored = info.get("episode", {})
    returned, length = float(monitored.get("r", returned)), int(monitored.get("l", length))
    reported = "is_success" in info
    ended_itself = not info.get("TimeLimit.truncated", False)
    success = bool(info["is_success"]) if reported else ended_itself and returned > 0
    return _Episode(returned=returned, length=length, success=success, reported=reported)


def _statistics(episodes: list[_Episode]) -> EpisodeStatistics:
    return EpisodeStatistics(
        returns=np.array([episode.returned for episode in episodes], dtype=np.float64),
        lengths=np.array([episode.length for episode in episodes], dtype=np.int64),
        successes=np.array([episode.success for episode in episodes], dtype=bool),
        reported=all(episode.reported for episode in episodes),
    )
