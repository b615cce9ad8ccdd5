"""An oracle for our levels: it knows the map and the rules, so what it scores shows that a level can be solved."""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np

from perma_agent.envs.actions import FORWARD, TURN_LEFT, TURN_RIGHT, USE
from perma_agent.envs.suite.episode import Episode
from perma_agent.envs.suite.level import TaskLevel
from perma_agent.envs.suite.plan import AGENT_RADIUS, TURN_STEP

GRID = 0.25
"""Metres between the points a way is made of."""
SPACE = AGENT_RADIUS + 0.06
"""Least distance from a way to any wall, metres."""
DETOUR = 40.0
"""A metre too near to what should not be touched counts as so many."""
KEEP_OFF = 0.15
"""Metres the way keeps beyond the reach of what should not be touched: headings come in steps, so it is not held
exactly."""
LOOK_AHEAD = 12
"""The agent heads for the farthest of so many next points of the way that it can reach in a straight line."""


class Oracle:
    """Goes the shortest way to the nearest object worth touching, round those that are not.

    It sees what no policy sees: walls and objects as coordinates. Acts on the level it was made for, and plans anew
    when an episode begins or an object has been touched.
    """

    def __init__(self, level: Any) -> None:
        """Choose the level.

        Args:
            level: one of our levels, bare or in Gymnasium's wrappers.

        Raises:
            TypeError: for a level that is not ours.
        """
        bare = level.unwrapped
        if not isinstance(bare, TaskLevel):
            raise TypeError(f"expected one of our levels (perma/...), got {type(bare).__name__}")
        self._level = bare
        self._known: tuple[Episode | None, int] = (None, -1)
        self._field = np.zeros((0, 0))
        self._corner = np.zeros(2)
        self._segments = np.zeros((0, 2, 2))

    def action(self) -> int:
        """What to do now; `use` (which waits) where nothing can be reached."""
        episode = self._level.episode
        now = (episode, len(episode.progress.touched))
        if self._known[0] is not episode or self._known[1] != now[1]:
            self._known = now
            self._survey(episode)
        x, z, heading = self._level.pose
        ahead = self._waypoint(np.array([x, z]))
        if ahead is None:
            return USE
        off = math.remainder(math.atan2(-(ahead[1] - z), ahead[0] - x) - heading, 2 * math.pi)
        if abs(off) > math.radians(TURN_STEP) / 2 + 1e-6:
            return TURN_LEFT if off > 0 else TURN_RIGHT
        return FORWARD

    def _survey(self, episode: Episode) -> None:
        """Cost of the cheapest way from every point of the grid to the nearest object worth touching."""
        self._segments = episode.surroundings.segments
        half = np.array(episode.plan.half_extent)
        counts = np.floor(2 * half / GRID).astype(int) + 1
        self._corner = -(counts - 1) * GRID / 2
        xs, zs = (self._corner[axis] + GRID * np.arange(counts[axis]) for axis in (0, 1))
        points = np.stack(np.meshgrid(xs, zs, indexing="ij"), axis=-1).reshape(-1, 2)
        free = (_clearances(points, self._segments) >= SPACE).reshape(counts)
        wanted, unwanted = self._level.task.targets(episode.plan, episode.progress)
        cost = np.ones(counts)
        for slot in unwanted:
            near = (
                np.hypot(*(points - episode.places[slot]).T).reshape(counts)
                < episode.reaches[slot] + KEEP_OFF + GRID / 2
            )
            cost[near] = DETOUR
        ends = np.zeros(tuple(counts), dtype=bool)
        for slot in wanted:
            ends |= np.hypot(*(points - episode.places[slot]).T).reshape(counts) < 0.6 * episode.reaches[slot]
        self._field = _spread(free, cost, ends & free)

    def _waypoint(self, here: np.ndarray) -> np.ndarray | None:
        cell = self._nearest(here)
        if cell is None:
            return None
        best = None
        for _ in range(LOOK_AHEAD):
            cell = min((cell, *_around(cell, self._field.shape)), key=lambda near: self._field[near])
            if best is not None and not self._straight(here, self._point(cell)):
                break
            best = cell
        return None if best is None else self._point(best)

    def _nearest(self, here: np.ndarray) -> tuple[int, int] | None:
        """The point of the grid to begin from: the cheapest of those around the agent that lead anywhere."""
        row, column = np.rint((here - self._corner) / GRID).astype(int).tolist()
        nearby = [
            (row + i, column + j)
            for i in range(-2, 3)
            for j in range(-2, 3)
            if 0 <= row + i < self._field.shape[0] and 0 <= column + j < self._field.shape[1]
        ]
        open_ = [cell for cell in nearby if np.isfinite(self._field[cell])]
        away = {cell: float(np.hypot(*(self._point(cell) - here))) for cell in open_}
        return min(open_, key=lambda cell: away[cell], default=None)

    def _point(self, cell: tuple[int, int]) -> np.ndarray:
        return np.asarray(self._corner + GRID * np.array(cell))

    def _straight(self, here: np.ndarray, there: np.ndarray) -> bool:
        """Whether the agent fits along the straight line, and the line does not touch what should not be touched."""
        steps = max(int(np.hypot(*(there - here)) / (GRID / 2)), 1)
        line = here + (there - here) * np.linspace(0.0, 1.0, steps + 1)[1:, None]
        if (_clearances(line, self._segments) < SPACE - 0.04).any():
            return False
        episode = self._level.episode
        _, unwanted = self._level.task.targets(episode.plan, episode.progress)
        return all((np.hypot(*(line - episode.places[s]).T) > episode.reaches[s] + KEEP_OFF).all() for s in unwanted)


def _clearances(points: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Distance from each point `[P, 2]` to the nearest segment `[M, 2, 2]`, metres, shape `[P]`."""
    nearest = np.full(len(points), np.inf)
    for a, b in segments:
        along = b - a
        where = np.clip((points - a) @ along / max(along @ along, 1e-12), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(*(points - a - where[:, None] * along).T))
    return nearest


def _around(cell: tuple[int, int], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The up to eight neighbours of a cell."""
    rows = range(max(cell[0] - 1, 0), min(cell[0] + 2, shape[0]))
    columns = range(max(cell[1] - 1, 0), min(cell[1] + 2, shape[1]))
    return [(row, column) for row in rows for column in columns if (row, column) != cell]


def _spread(free: np.ndarray, cost: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Dijkstra's algorithm from all ends at once; inf where no way leads."""
    field = np.full(free.shape, np.inf)
    field[ends] = 0.0
    queue: list[tuple[float, tuple[int, int]]] = [(0.0, (row, column)) for row, column in np.argwhere(ends).tolist()]
    while queue:
        far, cell = heapq.heappop(queue)
        if far > field[cell]:
            continue
        for near in _around(cell, free.shape):
            if free[near]:
                step = 1.0 if cell[0] == near[0] or cell[1] == near[1] else math.sqrt(2.0)
                reached = far + step * 0.5 * (cost[cell] + cost[near])
                if reached < field[near]:
                    field[near] = reached
                    heapq.heappush(queue, (reached, near))
    return field
