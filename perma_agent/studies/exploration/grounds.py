"""Grounds: the levels that are explored, one map and one start a seed, and what of each can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from perma_agent.envs import make_level
from perma_agent.errors import LevelError
from perma_agent.evaluation.reachable import Ground, reachable_ground

CELL = 0.5
"""Side of the cells that are counted, metres, in every level."""
CANDIDATES = 1_000
"""Episodes that each seed may choose from; two seeds share none."""
FAR, OPEN = 0.5, 0.9
"""Of an episode: least walk to the goal as a share of the longest walk there is, and least share of the cells that can
be reached although the episode ends at the goal."""


@dataclass(frozen=True, kw_only=True)
class ExploredLevel:
    """A level that is explored in one episode, begun again and again."""

    id: str
    """Of `perma_agent.envs.catalogue()`."""
    title: str
    """In words, for figures."""
    vase: str
    """Which VASE of `vases.ELSEWHERE` sees it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What it is made with."""
    seeded: str | None = None
    """Argument that takes the seed, so that each seed has a map of its own; None where there is only one map."""
    anywhere: Mapping[str, Any] = field(default_factory=dict)
    """Arguments with which its episodes begin at places drawn from the whole map, where they do not anyway."""

    def made(self, seed: int) -> Mapping[str, Any]:
        """Its arguments with a seed."""
        return {**self.arguments, **({} if self.seeded is None else {self.seeded: seed})}


MAZE: Mapping[str, Any] = MappingProxyType(
    {
        "arguments": MappingProxyType({"rows": 4, "columns": 4, "start": "fixed", "randomise": False}),
        "seeded": "map_seed",
        "anywhere": MappingProxyType({"start": "random"}),
    }
)
"""One long corridor with dead ends that begins in a corner; the longest walk is about 40 m."""
LEVELS: Mapping[str, ExploredLevel] = MappingProxyType(
    {
        "indoor-maze": ExploredLevel(id="perma/IndoorMaze-v0", title="indoor maze", vase="suite", **MAZE),
        "outdoor-maze": ExploredLevel(id="perma/OutdoorMaze-v0", title="outdoor maze", vase="suite", **MAZE),
        "four-rooms": ExploredLevel(id="MiniWorld-FourRooms-v0", title="FourRooms (MiniWorld)", vase="miniworld"),
        "my-way-home": ExploredLevel(id="perma/VizdoomMyWayHome-v0", title="MyWayHome (ViZDoom)", vase="vizdoom"),
    }
)
"""By the name in the arms of cells."""


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """A level with the one episode of a seed."""

    level: ExploredLevel
    """The level."""
    seed: int
    """Of its map."""
    episode: int
    """Seed of every reset."""
    ground: Ground
    """What can be reached; the cells behind the goal cannot, since the episode ends there."""
    start: tuple[float, float]
    """x and z, metres."""
    goal: tuple[float, float]
    """x and z, metres."""
    walk: float
    """Metres from the start to the goal."""


class SameEpisode(gym.Wrapper[Any, Any, Any, Any]):
    """Every reset begins the episode of one seed: walls, start and goal stay, as coverage over a run asks for."""

    def __init__(self, env: gym.Env[Any, Any], *, episode: int) -> None:
        super().__init__(env)
        self._episode = episode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the episode; the seed that is asked for is not used."""
        del seed
        return self.env.reset(seed=self._episode, options=options)


def survey(level: ExploredLevel, seed: int, *, candidates: int = CANDIDATES) -> Surveyed:
    """Choose the seed's episode and compute what can be reached in it.

    It is the first of the seed's candidates whose goal is far enough from the start (`FAR`), so that it is not met by
    chance, and blocks little of the way (`OPEN`).

    Args:
        level: the level.
        seed: of the map, and of the candidates.
        candidates: to look at.

    Raises:
        LevelError: the level cannot be made, or none of the candidates will do.
    """
    env = make_level(level.id, **level.made(seed))
    try:
        for episode in range(seed * CANDIDATES, seed * CANDIDATES + candidates):
            _, info = env.reset(seed=episode)
            found = _look_round(env.unwrapped, info["factors"])
            if found is not None:
                ground, start, goal, walk = found
                return Surveyed(
                    level=level, seed=seed, episode=episode, ground=ground, start=start, goal=goal, walk=walk
                )
    finally:
        env.close()
    raise LevelError(
        f"expected an episode of {level.id} with its goal far from the start, got none among {candidates} of seed "
        f"{seed}; take another seed or a larger map"
    )


def make_explored(surveyed: Surveyed, *, copies: int) -> DummyVecEnv:
    """Copies of the level side by side, all in the same episode, each watched by a Monitor.

    Raises:
        LevelError: the level cannot be made.
    """
    level = surveyed.level

    def one() -> gym.Env[Any, Any]:
        env = SameEpisode(make_level(level.id, **level.made(surveyed.seed)), episode=surveyed.episode)
        return Monitor(env)

    return DummyVecEnv([partial(one) for _ in range(copies)])


def _look_round(
    level: Any, factors: Mapping[str, np.ndarray]
) -> tuple[Ground, tuple[float, float], tuple[float, float], float] | None:
    """Ground, start, goal and the walk between them; None if the goal is near or in the way."""
    layout = level.layout()
    start = np.array([float(factors["x"][0]), float(factors["z"][0])])
    goal, reach = layout.touched[0, :2], layout.touched[:1]
    if np.hypot(*(start - goal)) <= reach[0, 2]:
        return None
    everywhere = reachable_ground(layout.walls, start=start, radius=layout.radius, cell=CELL)
    walks = everywhere.walks[everywhere.reachable]
    at = int(everywhere.cells_of(goal[None])[0])
    if at < 0 or walks[at] < FAR * walks.max():
        return None
    ground = reachable_ground(layout.walls, start=start, radius=layout.radius, ends=reach, cell=CELL)
    if ground.count < OPEN * everywhere.count:
        return None
    return ground, (float(start[0]), float(start[1])), (float(goal[0]), float(goal[1])), float(walks[at])
