"""The shapes of objects and gates, few in quads and strong in colour so that 64×64 pixels show them from afar."""

from __future__ import annotations

import functools

import numpy as np

from perma_agent.envs.miniworld.surfaces import Colour, Surface, cuboid, quads, solid_of_revolution
from perma_agent.envs.suite.looks import Look
from perma_agent.envs.suite.plan import Block, Item

PAINT: dict[str, Colour] = {
    "blue": (0.1, 0.25, 1.0),
    "green": (0.05, 0.75, 0.15),
    "grey": (0.5, 0.5, 0.5),
    "purple": (0.6, 0.15, 0.85),
    "red": (0.95, 0.06, 0.08),
    "yellow": (1.0, 0.85, 0.0),
}
"""Red, green, blue of each colour name; the same in both settings and both splits."""
FOOT = 0.6
"""Objects are this much darker at the bottom."""
GATE_HEIGHT = 2.1
"""Metres."""


def object_surfaces(item: Item) -> list[Surface]:
    """One object with its shadow on the ground, where it stands."""
    x, z = item.position
    return [part.moved(to=(x, 0.0, z), turn=item.turn) for part in _shape(item.kind, item.colour, item.size)]


@functools.cache
def _shape(kind: str, colour: str, size: float) -> tuple[Surface, Surface]:
    """Shadow and body of an object that stands at the origin."""
    half, paint = size / 2, PAINT[colour]
    if kind == "ball":
        angle = np.linspace(-np.pi / 2, np.pi / 2, 6)
        profile = np.stack([half * np.cos(angle), half + half * np.sin(angle)], axis=1)
        body = solid_of_revolution(profile, sides=8, colour=paint, foot=FOOT)
    elif kind == "cone":
        profile = np.array([[half, 0.0], [half, 0.12 * size], [0.7 * half, 0.12 * size], [0.02, size]])
        body = solid_of_revolution(profile, sides=8, colour=paint, foot=FOOT)
    else:
        side = 0.72 * half
        body = cuboid(low=(-side, 0, -side), high=(side, 1.44 * half, side), colour=paint, foot=FOOT)
    return _shadow(0.55 * size), body


def object_height(item: Item) -> float:
    """Metres from the ground to the object's highest point."""
    return 0.72 * item.size if item.kind == "box" else item.size


def gate_surfaces(block: Block, look: Look) -> list[Surface]:
    """A closed gate, filling its gap in the wall."""
    (x0, z0), (x1, z1) = block.low, block.high
    inset = min(x1 - x0, z1 - z0) / 4
    along_x = x1 - x0 > z1 - z0
    low = (x0, 0.0, z0 + inset) if along_x else (x0 + inset, 0.0, z0)
    high = (x1, GATE_HEIGHT, z1 - inset) if along_x else (x1 - inset, GATE_HEIGHT, z1)
    return [cuboid(low=low, high=high, colour=look.gate.tint, texture=look.gate.texture, foot=0.75)]


def _shadow(reach: float) -> Surface:
    angle = np.linspace(0, 2 * np.pi, 9)
    rim = np.stack([reach * np.cos(angle), np.full(9, 0.02), reach * np.sin(angle)], axis=1)
    middle = np.array([0.0, 0.02, 0.0])
    corners = np.stack([np.broadcast_to(middle, (4, 3)), rim[0:-1:2], rim[1::2], rim[2::2]], axis=1)
    paint = np.zeros((4, 4, 4))
    paint[..., 3] = 0.45
    return quads(corners, colours=paint, normals=(0, 1, 0), lit=False)
