"""What stands still in a level, indoors and outdoors: one plan, two worlds to look at."""

from __future__ import annotations

import functools

import numpy as np

from perma_agent.envs.miniworld.surfaces import Colour, Surface, cuboid, merged, quads, solid_of_revolution
from perma_agent.envs.suite.looks import Look
from perma_agent.envs.suite.plan import Block, Plan

CEILING = 2.6
"""Height of rooms, metres."""
HEDGE = 1.9
"""Height of hedges between corridors, metres; above every camera."""
FENCE = 0.9
"""Height of the wall round open ground, metres."""
FAR_GROUND = 70.0
"""Outdoors the ground goes on to this distance, metres; the fog has closed before."""
SKY = 85.0
"""Radius of the sky, metres; MiniWorld draws nothing beyond 100."""
FOG_START, FOG_END = 14.0, 60.0
"""Metres; nothing a task needs is beyond the start in a level of the default size."""


def static_surfaces(plan: Plan, look: Look) -> list[Surface]:
    """All that neither moves nor vanishes in an episode, the near before the far: what is hidden is not drawn."""
    return merged(_indoor(plan, look) if look.setting == "indoor" else _outdoor(plan, look))


def _indoor(plan: Plan, look: Look) -> list[Surface]:
    ex, ez = plan.half_extent
    walls = [_enclosure(plan, look, height=CEILING, foot=0.6)]
    for block in plan.blocks:
        if block.kind == "wall":
            walls.append(_solid(block, CEILING, look.wall.tint, look.wall.texture, foot=0.6))
        elif block.kind == "pillar":
            crates = str(look.pillar.texture).startswith("cardboard")
            height = 1.9 if crates else CEILING
            walls.append(_solid(block, height, look.pillar.tint, look.pillar.texture, foot=0.55))
        else:  # the lintel above a gate, so that an open one still shows as a doorway
            walls.append(_lintel(block, look))
    ceiling = quads(
        _level_quad(ex, ez, CEILING), colours=look.above.tint, normals=(0, -1, 0), texture=look.above.texture, tile=2.4
    )
    floor = _ground(plan, look, reach=plan.half_extent, cells=_cells(plan), edge=0.72)
    return [*walls, floor, *_lamps(plan, look), ceiling]


def _outdoor(plan: Plan, look: Look) -> list[Surface]:
    rng = np.random.default_rng(look.seed)
    mazy = any(block.kind == "wall" for block in plan.blocks)
    hills, trees = _hills(look, rng), _trees_around(plan, look, rng)
    walls = [_enclosure(plan, look, height=HEDGE if mazy else FENCE, foot=0.45)]
    for block in plan.blocks:
        if block.kind == "wall":
            walls.append(_solid(block, HEDGE, look.wall.tint, look.wall.texture, foot=0.45))
        elif block.kind == "pillar":
            walls += _rock_or_trunk(block, look, rng)
    ground = _ground(plan, look, reach=(FAR_GROUND, FAR_GROUND), cells=4, edge=1.0)
    return [*walls, *trees, ground, *hills, *_sky(look)]


def _solid(block: Block, height: float, colour: Colour, texture: str | None, *, foot: float) -> Surface:
    (x0, z0), (x1, z1) = block.low, block.high
    return cuboid(low=(x0, 0.0, z0), high=(x1, height, z1), colour=colour, texture=texture, foot=foot)


def _lintel(block: Block, look: Look) -> Surface:
    (x0, z0), (x1, z1) = block.low, block.high
    return cuboid(low=(x0, 2.1, z0), high=(x1, CEILING, z1), colour=look.wall.tint, texture=look.wall.texture)


def _level_quad(ex: float, ez: float, height: float) -> np.ndarray:
    return np.array([[[-ex, height, -ez], [ex, height, -ez], [ex, height, ez], [-ex, height, ez]]])


def _cells(plan: Plan) -> int:
    return int(np.clip(round(max(plan.half_extent)), 3, 8))


def _ground(plan: Plan, look: Look, *, reach: tuple[float, float], cells: int, edge: float) -> Surface:
    """A grid of quads, darker by `edge` towards its rim."""
    xs, zs = (np.linspace(-half, half, cells + 1) for half in reach)
    grid = np.stack(np.meshgrid(xs, zs, indexing="ij"), axis=-1)
    corners = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=2).reshape(-1, 4, 2)
    rim = np.maximum(np.abs(corners[..., 0]) / reach[0], np.abs(corners[..., 1]) / reach[1])
    shade = np.where(rim > 0.99, edge, 1.0)
    corners = np.insert(corners, 1, 0.0, axis=2)
    paint = shade[..., None] * np.array(look.ground.tint)
    return quads(corners, colours=paint, normals=(0, 1, 0), texture=look.ground.texture)


def _enclosure(plan: Plan, look: Look, *, height: float, foot: float) -> Surface:
    """The outer wall seen from inside and, where it is low, its top and back."""
    ex, ez = plan.half_extent
    if height < CEILING:
        thick = 0.4
        walls = [
            cuboid(low=low, high=high, colour=look.wall.tint, texture=look.wall.texture, foot=foot)
            for low, high in (
                ((-ex - thick, 0.0, -ez - thick), (ex + thick, height, -ez)),
                ((-ex - thick, 0.0, ez), (ex + thick, height, ez + thick)),
                ((-ex - thick, 0.0, -ez), (-ex, height, ez)),
                ((ex, 0.0, -ez), (ex + thick, height, ez)),
            )
        ]
        return merged(walls)[0]
    ring = np.array([[-ex, -ez], [ex, -ez], [ex, ez], [-ex, ez]])
    base, rim = np.insert(ring, 1, 0.0, axis=1), np.insert(ring, 1, height, axis=1)
    sides = np.stack([base, np.roll(base, -1, axis=0), np.roll(rim, -1, axis=0), rim], axis=1)
    paint = np.empty((4, 4, 3))
    paint[:, :2], paint[:, 2:] = np.array(look.wall.tint) * foot, look.wall.tint
    inwards = np.array([[0, 0, 1], [-1, 0, 0], [0, 0, -1], [1, 0, 0]])
    return quads(sides, colours=paint, normals=inwards, texture=look.wall.texture)


def _lamps(plan: Plan, look: Look) -> list[Surface]:
    """Shining panels under the ceiling, one for about every nine square metres, at most 16."""
    counts = [int(np.clip(round(half / 2.0), 1, 4)) for half in plan.half_extent]
    places = [
        (x, z)
        for x in (np.arange(counts[0]) + 0.5) / counts[0] * 2 * plan.half_extent[0] - plan.half_extent[0]
        for z in (np.arange(counts[1]) + 0.5) / counts[1] * 2 * plan.half_extent[1] - plan.half_extent[1]
    ]
    corners = np.concatenate([_level_quad(0.5, 0.22, CEILING - 0.06) + np.array([x, 0, z]) for x, z in places])
    return [quads(corners, colours=look.horizon, normals=(0, -1, 0), lit=False)]


def _sky(look: Look) -> list[Surface]:
    """Two rings of a dome, from the horizon's colour to the zenith's."""
    angle = np.linspace(0, 2 * np.pi, 13)
    ring = np.stack([np.cos(angle), np.zeros(13), np.sin(angle)], axis=1)
    low, middle, high = (SKY * f * ring + [0, h, 0] for f, h in ((1.0, -2.0), (0.9, 28.0), (0.05, 50.0)))
    between = 0.5 * np.array(look.horizon) + 0.5 * np.array(look.above.tint)
    surfaces = []
    for lower, upper, from_, to in ((low, middle, look.horizon, between), (middle, high, between, look.above.tint)):
        corners = np.stack([lower[:-1], lower[1:], upper[1:], upper[:-1]], axis=1)
        paint = np.empty((12, 4, 3))
        paint[:, :2], paint[:, 2:] = from_, to
        facing = -(corners.mean(axis=1) - [0, 10, 0])
        facing /= np.linalg.norm(facing, axis=1, keepdims=True)
        surfaces.append(quads(corners, colours=paint, normals=facing, lit=False))
    return surfaces


def _hills(look: Look, rng: np.random.Generator) -> list[Surface]:
    """A ragged line of hills before the sky, half lost in haze."""
    angle = np.linspace(0, 2 * np.pi, 25)
    height = rng.uniform(2.0, 11.0, size=24)
    height = np.append(height, height[0])
    foot = np.stack([0.95 * SKY * np.cos(angle), np.full(25, -1.0), 0.95 * SKY * np.sin(angle)], axis=1)
    top = foot + np.stack([np.zeros(25), height + 1.0, np.zeros(25)], axis=1)
    corners = np.stack([foot[:-1], foot[1:], top[1:], top[:-1]], axis=1)
    facing = -corners.mean(axis=1) * [1, 0, 1]
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    hue = 0.6 * np.array(look.horizon) + 0.4 * np.array([0.2, 0.35, 0.3])
    return [quads(corners, colours=tuple(hue), normals=facing, lit=False)]


def _trees_around(plan: Plan, look: Look, rng: np.random.Generator) -> list[Surface]:
    """Firs and boulders beyond the outer hedge: to be seen, never to be met."""
    surfaces = []
    for angle in np.arange(7) * 2 * np.pi / 7 + rng.uniform(0, 0.7, size=7):
        away = np.hypot(*plan.half_extent) + rng.uniform(2.0, 9.0)
        place = (float(away * np.cos(angle)), 0.0, float(away * np.sin(angle)))
        shade, height = rng.uniform(0.7, 1.2), rng.uniform(3.5, 7.0)
        surfaces.append(_fir().moved(to=place, scale=height).dimmed(shade))
    return surfaces


@functools.cache
def _fir() -> Surface:
    """A fir one metre tall, standing at the origin."""
    crown = np.array([[0.28, 0.18], [0.13, 0.6], [0.2, 0.6], [0.0, 1.0]])
    trunk = cuboid(low=(-0.035, 0, -0.035), high=(0.035, 0.2, 0.035), colour=(0.35, 0.24, 0.15), top=False)
    return merged([trunk, solid_of_revolution(crown, sides=5, colour=(0.1, 0.36, 0.14), foot=0.6)])[0]


def _rock_or_trunk(block: Block, look: Look, rng: np.random.Generator) -> list[Surface]:
    (x0, z0), (x1, z1) = block.low, block.high
    if rng.uniform() < 0.6:
        body = (x0, 0.0, z0), (x1, rng.uniform(1.9, 2.5), z1)
        tint = look.pillar.tint
        return [cuboid(low=body[0], high=body[1], colour=tint, texture=look.pillar.texture, foot=0.55, taper=0.72)]
    middle = ((x0 + x1) / 2, 0.0, (z0 + z1) / 2)
    bark = cuboid(low=(x0, 0.0, z0), high=(x1, 2.6, z1), colour=(0.5, 0.36, 0.24), foot=0.6, taper=0.8, top=False)
    crown = solid_of_revolution(
        np.array([[1.3, 2.3], [1.5, 3.2], [0.0, 4.6]]), sides=7, colour=(0.16, 0.45, 0.14), foot=0.6
    )
    return [bark, crown.moved(to=middle)]
