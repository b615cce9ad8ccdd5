"""Coloured, textured quads as plain arrays, and the few solids that scenery and objects are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

TILE = 2.0
"""Metres that one copy of a texture covers."""
Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Quads that share a texture and the way they take light."""

    vertices: np.ndarray
    """x, y (up) and z in metres, four corners a quad, float32, shape `[4n, 3]`; anticlockwise seen from the front."""
    normals: np.ndarray
    """Unit vectors, float32, shape `[4n, 3]`."""
    texcoords: np.ndarray
    """In copies of the texture, float32, shape `[4n, 2]`."""
    colours: np.ndarray
    """Red, green, blue, opacity in [0, 1], float32, shape `[4n, 4]`; multiplied with the texture."""
    texture: str | None = None
    """File name of one of MiniWorld's textures, without ending; None for plain colour."""
    lit: bool = True
    """False for what shines by itself (sky, lamps): neither light nor fog changes it."""

    def __len__(self) -> int:
        return len(self.vertices) // 4

    def moved(self, *, to: tuple[float, float, float], turn: float = 0.0, scale: float = 1.0) -> Surface:
        """The same, scaled, turned about the vertical by `turn` radians, then moved."""
        cos, sin = np.cos(turn), np.sin(turn)
        matrix = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]], dtype=np.float32)
        vertices = self.vertices @ (matrix * np.float32(scale)) + np.asarray(to, dtype=np.float32)
        return replace(self, vertices=vertices, normals=self.normals @ matrix)

    def dimmed(self, factor: float) -> Surface:
        """The same in colours multiplied by `factor`."""
        colours = self.colours * np.array([factor, factor, factor, 1.0], dtype=np.float32)
        return replace(self, colours=np.clip(colours, 0.0, 1.0))


def quads(
    corners: np.ndarray,
    *,
    colours: np.ndarray | Colour,
    normals: np.ndarray | tuple[float, float, float] | None = None,
    texture: str | None = None,
    tile: float = TILE,
    lit: bool = True,
) -> Surface:
    """Quads from their corners; the texture is laid by place in the world, so that neighbours join.

    Args:
        corners: metres, shape `[n, 4, 3]`, in either order round the quad when `normals` are given.
        colours: one for all, or of shape `[n, 4, 3]` or `[n, 4, 4]` (with opacity).
        normals: one for all or of shape `[n, 3]`; None takes them from the order of the corners.
        texture: file name without ending.
        tile: metres that one copy of the texture covers.
        lit: whether light and fog act on it.
    """
    corners = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 3)
    p, q = (corners[:, 2] - corners[:, 0]).T, (corners[:, 3] - corners[:, 1]).T
    across = np.stack([p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]], axis=1)
    across /= np.maximum(np.sqrt((across * across).sum(1, keepdims=True)), 1e-12)
    facing = across if normals is None else np.broadcast_to(np.asarray(normals, dtype=np.float64), across.shape)
    paint = np.asarray(colours, dtype=np.float64)
    paint = np.broadcast_to(paint, (len(corners), 4, paint.shape[-1]))
    if paint.shape[-1] == 3:
        paint = np.concatenate([paint, np.ones((*paint.shape[:2], 1))], axis=2)
    backwards = (across * facing).sum(1) < 0
    corners, paint = corners.copy(), paint.copy()
    corners[backwards], paint[backwards] = corners[backwards, ::-1], paint[backwards, ::-1]
    flat = np.abs(facing[:, None, 1:2]) > 0.7
    x, y, z = corners[..., :1], corners[..., 1:2], corners[..., 2:]
    along_x = np.abs(facing[:, None, 2:]) > np.abs(facing[:, None, :1])
    texcoords = np.where(flat, np.concatenate([x, z], axis=2), np.concatenate([np.where(along_x, x, z), y], axis=2))
    return Surface(
        vertices=corners.reshape(-1, 3).astype(np.float32),
        normals=np.repeat(facing, 4, axis=0).astype(np.float32),
        texcoords=(texcoords / tile).reshape(-1, 2).astype(np.float32),
        colours=np.clip(paint, 0.0, 1.0).reshape(-1, 4).astype(np.float32),
        texture=texture,
        lit=lit,
    )


def merged(surfaces: Iterable[Surface]) -> list[Surface]:
    """The same quads in as few surfaces as textures and light allow; opaque ones first, in their order."""
    groups: dict[tuple[bool, str | None, bool], list[Surface]] = {}
    for surface in surfaces:
        if len(surface):
            clear = bool((surface.colours[:, 3] < 1).any())
            groups.setdefault((clear, surface.texture, surface.lit), []).append(surface)
    return [
        Surface(
            vertices=np.concatenate([s.vertices for s in group]),
            normals=np.concatenate([s.normals for s in group]),
            texcoords=np.concatenate([s.texcoords for s in group]),
            colours=np.concatenate([s.colours for s in group]),
            texture=texture,
            lit=lit,
        )
        for (_, texture, lit), group in sorted(groups.items(), key=lambda entry: entry[0][0])
    ]


def cuboid(
    *,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    colour: Colour,
    texture: str | None = None,
    foot: float = 1.0,
    taper: float = 1.0,
    top: bool = True,
) -> Surface:
    """A box standing on its base, without underside.

    Args:
        low: smallest x, y, z.
        high: largest x, y, z.
        colour: of the upper rim.
        texture: on all sides.
        foot: brightness at the bottom relative to the top, for a soft contact with the ground.
        taper: width of the top relative to the base.
        top: whether it has an upper face.
    """
    middle = (np.array(low) + np.array(high)) / 2
    around = np.array([[low[0], low[2]], [high[0], low[2]], [high[0], high[2]], [low[0], high[2]]])
    above = (around - middle[[0, 2]]) * taper + middle[[0, 2]]
    base = np.insert(around, 1, low[1], axis=1)
    rim = np.insert(above, 1, high[1], axis=1)
    sides = np.stack([base, np.roll(base, -1, axis=0), np.roll(rim, -1, axis=0), rim], axis=1)
    out = sides.mean(axis=1) - middle
    out[:, 1] = 0.0
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    paint = np.empty((4, 4, 3))
    paint[:, :2], paint[:, 2:] = np.array(colour) * foot, colour
    faces = quads(sides, colours=paint, normals=out, texture=texture)
    if not top:
        return faces
    return merged([faces, quads(rim[None], colours=colour, normals=(0, 1, 0), texture=texture)])[0]


def solid_of_revolution(profile: np.ndarray, *, sides: int, colour: Colour, foot: float = 1.0) -> Surface:
    """A ball, cone or crown: a profile turned about the vertical.

    Args:
        profile: radius and height, from the bottom up, metres, shape `[rings, 2]`.
        sides: flat sides round it.
        colour: at the top.
        foot: brightness at the bottom relative to the top.
    """
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], axis=1)
    rings = [radius * ring + np.array([0, height, 0]) for radius, height in profile]
    bottom, top = profile[0, 1], profile[-1, 1]
    shades = [foot + (1 - foot) * (height - bottom) / (top - bottom) for _, height in profile]
    corners, normals, paint = [], [], []
    for level in range(len(profile) - 1):
        lower, upper = rings[level], rings[level + 1]
        corners.append(np.stack([lower[:-1], lower[1:], upper[1:], upper[:-1]], axis=1))
        slope = profile[level + 1] - profile[level]
        around = (ring[:-1] + ring[1:]) / 2 * slope[1] - np.array([0, slope[0], 0])
        normals.append(around / np.linalg.norm(around, axis=1, keepdims=True))
        shade = np.array([shades[level], shades[level], shades[level + 1], shades[level + 1]])
        paint.append(np.broadcast_to(shade[:, None] * np.array(colour), (sides, 4, 3)))
    return quads(np.concatenate(corners), colours=np.concatenate(paint), normals=np.concatenate(normals))
