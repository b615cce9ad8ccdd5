"""What a level is before it is drawn: walls, objects and a start, in metres, with no engine and no pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perma_agent.errors import LevelError

AGENT_RADIUS = 0.4
"""Metres; a circle, MiniWorld's own."""
FORWARD_STEP = 0.4
"""Metres covered by `forward` and `back`."""
TURN_STEP = 22.5
"""Degrees turned by `turn_left` and `turn_right`: 16 headings make a circle."""
TOUCH_MARGIN = 0.15
"""An object is touched when the gap between it and the agent is below this many metres."""
_ROUNDS, _TRIES = 40, 60


@dataclass(frozen=True, kw_only=True)
class Block:
    """A solid, axis-aligned piece of the map that stops the agent and hides what is behind it."""

    low: tuple[float, float]
    """Smallest x and z, metres."""
    high: tuple[float, float]
    """Largest x and z, metres."""
    kind: Literal["wall", "pillar", "gate"] = "wall"
    """Walls become hedges outdoors and pillars rocks or trunks; gates can open."""

    def segments(self) -> np.ndarray:
        """The four sides, shape `[4, 2, 2]` (segment, end, x and z)."""
        (x0, z0), (x1, z1) = self.low, self.high
        a, b, c, d = (x0, z0), (x1, z0), (x1, z1), (x0, z1)
        return np.array([[a, b], [b, c], [c, d], [d, a]], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An object that can be touched."""

    kind: str
    """One of `KINDS`, not `none`."""
    colour: str
    """One of `COLOURS`."""
    position: tuple[float, float]
    """x and z of its middle, metres."""
    size: float = 0.9
    """Height and width, metres."""
    turn: float = 0.0
    """Rotation about the vertical, radians."""

    @property
    def radius(self) -> float:
        """Of the circle it stands in, metres."""
        return self.size / 2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One map with its objects and the agent's start; the same indoors and outdoors."""

    half_extent: tuple[float, float]
    """The ground spans ±these metres in x and in z, bounded by an outer wall."""
    blocks: tuple[Block, ...]
    """Everything solid inside."""
    items: tuple[Item, ...]
    """Objects; the place in this tuple is the object's slot in the factors."""
    start: tuple[float, float, float]
    """Agent's x, z (metres) and heading (radians, anticlockwise seen from above, 0 along +x)."""

    def outline(self) -> np.ndarray:
        """The outer wall, shape `[4, 2, 2]`."""
        x, z = self.half_extent
        return Block(low=(-x, -z), high=(x, z)).segments()

    def segments(self, *, gates: bool = True) -> np.ndarray:
        """All that stops the agent, shape `[M, 2, 2]`.

        Args:
            gates: whether closed gates count.
        """
        solid = [block.segments() for block in self.blocks if gates or block.kind != "gate"]
        return np.concatenate([self.outline(), *solid])


def clearance(point: np.ndarray, segments: np.ndarray) -> float:
    """Distance in metres from a point `[2]` to the nearest of the segments `[M, 2, 2]`."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    length = np.maximum((along * along).sum(1), 1e-12)
    where = np.clip(((point - start) * along).sum(1) / length, 0.0, 1.0)
    return float(np.sqrt(((start + where[:, None] * along - point) ** 2).sum(1).min()))


def inside_block(x: float, z: float, blocks: tuple[Block, ...]) -> bool:
    """Whether a point lies within a solid block."""
    return any(b.low[0] < x < b.high[0] and b.low[1] < z < b.high[1] for b in blocks)


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """Where something may be put: a rectangle, free of walls and apart from what already stands."""

    low: tuple[float, float]
    """Smallest x and z, metres."""
    high: tuple[float, float]
    """Largest x and z, metres."""
    from_walls: float
    """Least distance to any wall, metres."""
    apart: float
    """Least distance to the points already taken, metres."""

    def scatter(
        self, rng: np.random.Generator, *, plan: Plan, count: int, taken: Sequence[tuple[float, float]] = ()
    ) -> list[tuple[float, float]]:
        """Draw `count` free points, uniform over what is free; starts over where the first ones left no room.

        Raises:
            LevelError: when the map cannot hold them.
        """
        segments = plan.segments()
        for _ in range(_ROUNDS):
            points = list(taken)
            for _ in range(_TRIES * count):
                x, z = rng.uniform(self.low, self.high).tolist()
                if any(math.hypot(x - px, z - pz) < self.apart for px, pz in points):
                    continue
                if clearance(np.array([x, z]), segments) < self.from_walls or inside_block(x, z, plan.blocks):
                    continue
                points.append((x, z))
                if len(points) == len(taken) + count:
                    return points[len(taken) :]
        raise LevelError(
            f"expected room for {count} things {self.apart} m apart on a ground of {2 * plan.half_extent[0]} by "
            f"{2 * plan.half_extent[1]} m, found none; ask for fewer things or a larger ground"
        )


def draw_heading(rng: np.random.Generator) -> float:
    """One of the 16 headings the agent can turn to, radians in [-π, π)."""
    return float(np.deg2rad(TURN_STEP) * rng.integers(16) - np.pi)
