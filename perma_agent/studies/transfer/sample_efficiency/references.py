"""The two players that scores are measured between: chance, and one that knows where everything is."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from perma_agent.envs.actions import FORWARD, TURN_LEFT, TURN_RIGHT
from perma_agent.envs.suite.level import TaskLevel
from perma_agent.envs.suite.oracle import Oracle
from perma_agent.evaluation.policies import RandomPolicy, evaluate_on_level
from perma_agent.studies.levels import LevelChoice, make_copies
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.studies.transfer.sample_efficiency.pretraining import level_seed

PLAYERS = ("chance", "knowing")
"""Normalised score 0 and 1."""
STRAIGHT = 7.5
"""Degrees off which the seeker takes for straight ahead: half of MiniWorld's turn."""


class Player(Protocol):
    """Acts on the level it was made for."""

    def action(self) -> int:
        """What to do now."""
        ...


class Seeker:
    """Turns to the first object and walks there: all that MiniWorld's goal levels of one room ask for.

    Args:
        level: with factors, bare or in Gymnasium's wrappers.
    """

    def __init__(self, level: Any) -> None:
        self._level = level.unwrapped

    def action(self) -> int:
        """Turn while the object is more than half a turn off the middle, else go forward."""
        ahead, right = self._level.factors()["object_position"][0]
        off = math.degrees(math.atan2(right, ahead))
        if abs(off) > STRAIGHT:
            return TURN_RIGHT if off > 0 else TURN_LEFT
        return FORWARD


def player_of(level: Any) -> Player:
    """Who knows the way: our levels' oracle, or the seeker."""
    return Oracle(level) if isinstance(level.unwrapped, TaskLevel) else Seeker(level)


def measure_references(level: LevelChoice, episodes: int, seed: int, advance: Advance) -> Measured:
    """Returns of both players, the same number of episodes each.

    Args:
        level: to play on.
        episodes: of each.
        seed: of the cell.
        advance: told of the episodes.
    """
    figures: dict[str, float | None] = {}
    for name in PLAYERS:
        venv = make_copies([level], copies=1)
        chance = RandomPolicy(venv.action_space, rng=np.random.default_rng(seed))
        knowing = player_of(venv.envs[0])
        try:
            played = evaluate_on_level(
                chance if name == "chance" else lambda frames: np.array([knowing.action()]),  # noqa: B023  used here only
                venv,
                episodes=episodes,
                seed=level_seed(seed),
                on_episode=lambda: advance(1.0),
            )
        finally:
            venv.close()
        figures |= {
            f"{name}_return": float(played.returns.mean()),
            f"{name}_success": float(played.successes.mean()),
        }
    return Measured(figures=figures)
