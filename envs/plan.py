"""What a level is before it is drawn: walls, objects and a start, in metres, with no engine and no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perma_agent.errors import LevelError

Setting = Literal["indoor", "outdoor"]
Split = Literal["train", "test"]
SETTINGS: tuple[Setting, ...] = ("indoor", "outdoor")
SPLITS: tuple[Split, ...] = ("train", "test")

KINDS = ("none", "ball", "box", "cone", "key", "medkit", "duckie", "picture", "text", "scenery", "other")
"""Kinds of object; their index is the factor `object_kind`, 0 where there is no object."""
COLOURS = ("none", "blue", "green", "grey", "purple", "red", "yellow")
"""Colours of object; their index is the factor `object_colour`, 0 for an object of no single colour."""

AGENT_RADIUS = 0.4
"""Metres; a circle, MiniWorld's own."""
FORWARD_STEP = 0.4
"""Metres covered by `forward` and `back`."""
TURN_STEP = 22.5
"""Degrees turned by `turn_left` and `turn_right`: 16 headings make a circle."""
TOUCH_MARGIN = 0.15
"""An object is touched when the gap between it and the agent is below this many metres."""


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
        corners = np.array([[x0, z0], [x1, z0], [x1, z1], [x0, z1]], dtype=np.float64)
        return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


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


def inside_block(point: np.ndarray, blocks: tuple[Block, ...]) -> bool:
    """Whether the point `[2]` lies within a solid block."""
    return any(b.low[0] < point[0] < b.high[0] and b.low[1] < point[1] < b.high[1] for b in blocks)


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

    def draw(
        self, rng: np.random.Generator, *, plan: Plan, taken: list[tuple[float, float]], tries: int = 2000
    ) -> tuple[float, float]:
        """One free point, uniform over what is free.

        Raises:
            LevelError: when no free point was found, i.e. the arguments ask for more than the map can hold.
        """
        segments = plan.segments()
        for _ in range(tries):
            point = rng.uniform(self.low, self.high)
            if any(np.hypot(point[0] - x, point[1] - z) < self.apart for x, z in taken):
                continue
            if clearance(point, segments) >= self.from_walls and not inside_block(point, plan.blocks):
                return float(point[0]), float(point[1])
        raise LevelError(
            f"expected room for another object {self.apart} m from the rest, found none in {tries} tries; "
            "ask for fewer objects or a larger map"
        )


def draw_heading(rng: np.random.Generator) -> float:
    """One of the 16 headings the agent can turn to, radians in [-π, π)."""
    return float(np.deg2rad(TURN_STEP) * rng.integers(16) - np.pi)
