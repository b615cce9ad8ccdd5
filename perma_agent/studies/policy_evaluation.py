"""Policy evaluation: a trained policy on several levels, each beside the random policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm

from perma_agent.evaluation.policies import Act, EpisodeStatistics, RandomPolicy, evaluate_on_level
from perma_agent.studies.levels import LevelChoice, make_copies


@dataclass(frozen=True, kw_only=True)
class LevelResult:
    """How two policies did on one level."""

    level: LevelChoice
    """The level."""
    trained: EpisodeStatistics
    """Episodes of the trained policy."""
    random: EpisodeStatistics
    """Episodes of the random policy, begun with the same seeds."""


def evaluate_policy(
    agent: BaseAlgorithm,
    levels: Sequence[LevelChoice],
    *,
    episodes: int = 64,
    copies: int = 8,
    seed: int = 0,
    deterministic: bool = False,
    on_episode: Callable[[], None] | None = None,
) -> list[LevelResult]:
    """Let an agent and chance play the same number of episodes on each level.

    Args:
        agent: the trained policy.
        levels: to play on.
        episodes: of each policy on each level.
        copies: of a level, in parallel.
        seed: of the levels and of both policies' choices.
        deterministic: whether the agent takes its most probable action instead of drawing one.
        on_episode: called after each episode, for a progress bar.

    Raises:
        LevelError: a level cannot be made, or its episodes do not end.
        FrameError: a level shows other frames than the agent knows.
    """
    results = []
    for level in levels:
        venv = make_copies([level], copies=copies)
        policies: dict[str, Act] = {
            "trained": lambda frames: agent.predict(frames, deterministic=deterministic)[0],
            "random": RandomPolicy(venv.action_space, rng=np.random.default_rng(seed)),
        }
        try:
            with torch.random.fork_rng():  # SB3's policies draw from torch's global generator
                torch.manual_seed(seed)
                played = {
                    name: evaluate_on_level(act, venv, episodes=episodes, seed=seed, on_episode=on_episode)
                    for name, act in policies.items()
                }
        finally:
            venv.close()
        results.append(LevelResult(level=level, **played))
    return results
