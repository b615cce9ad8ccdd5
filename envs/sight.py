"""What an agent at some pose can see, from geometry alone: no second rendering is needed for the factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RAYS = 5
"""Rays cast at each object, across its width."""


@dataclass(frozen=True, kw_only=True)
class Eye:
    """Where the camera is and what it takes in."""

    position: np.ndarray
    """x and z, metres, shape `[2]`."""
    heading: float
    """Radians, anticlockwise seen from above, 0 along +x."""
    height: float
    """Of the camera above the ground, metres."""
    pitch: float
    """Degrees, positive upwards."""
    field_of_view: float
    """Whole angle the picture spans from top to bottom, degrees."""
    aspect: float = 1.0
    """Width of the picture over its height."""


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """Upright cylinders: the objects, or some of them."""

    positions: np.ndarray
    """x and z, metres, shape `[K, 2]`."""
    radii: np.ndarray
    """Metres, shape `[K]`."""
    bottoms: np.ndarray
    """Height of the lowest point above the ground, metres, shape `[K]`."""
    tops: np.ndarray
    """Height of the highest point, metres, shape `[K]`."""


def directions(headings: np.ndarray | float) -> np.ndarray:
    """Unit vectors (x, z) of headings in radians; shape `[..., 2]`."""
    return np.stack([np.cos(headings), -np.sin(headings)], axis=-1)


def egocentric(positions: np.ndarray, *, origin: np.ndarray, heading: float) -> np.ndarray:
    """Positions as the agent has them: metres ahead of it and metres to its right, shape `[K, 2]`."""
    offset = positions - origin
    cos, sin = np.cos(heading), np.sin(heading)
    ahead = offset[:, 0] * cos - offset[:, 1] * sin
    right = offset[:, 0] * sin + offset[:, 1] * cos
    return np.stack([ahead, right], axis=-1)


def wall_distances(origin: np.ndarray, rays: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Distance along each unit ray `[R, 2]` from `origin` `[2]` to the nearest segment `[M, 2, 2]`; inf where none.

    Solves origin + t·ray = a + u·(b - a) for t ≥ 0 and 0 ≤ u ≤ 1 by Cramer's rule.

    Returns:
        t in metres, shape `[R]`.
    """
    start, along = segments[:, 0] - origin, segments[:, 1] - segments[:, 0]
    det = rays[:, 1:] * along[None, :, 0] - rays[:, :1] * along[None, :, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (start[:, 1] * along[:, 0] - start[:, 0] * along[:, 1])[None] / det
        u = (rays[:, :1] * start[None, :, 1] - rays[:, 1:] * start[None, :, 0]) / det
    hit = (np.abs(det) > 1e-12) & (t >= 0) & (u >= 0) & (u <= 1)
    return np.where(hit, t, np.inf).min(axis=1)


def body_distances(origin: np.ndarray, rays: np.ndarray, bodies: Bodies) -> np.ndarray:
    """Distance along each unit ray `[R, 2]` to where it enters each body's circle; inf where it passes by, `[R, K]`."""
    offset = bodies.positions - origin
    along = rays @ offset.T
    beside = (offset * offset).sum(1)[None] - along * along
    depth = bodies.radii[None] ** 2 - beside
    enters = along - np.sqrt(np.maximum(depth, 0.0))
    return np.where((depth > 0) & (along > 0), np.maximum(enters, 0.0), np.inf)


def visible_share(eye: Eye, bodies: Bodies, segments: np.ndarray) -> np.ndarray:
    """Share of each body's width that is in the picture and not behind a wall, in steps of 1 / `RAYS`, shape `[K]`.

    A ray counts when it lies within the horizontal angle of view, reaches the body before any wall and before any
    other body, and some of the body's height lies within the vertical angle. Walls are taller than the eye.
    """
    count = len(bodies.radii)
    if count == 0:
        return np.zeros(0)
    offset = bodies.positions - eye.position
    distance = np.maximum(np.hypot(offset[:, 0], offset[:, 1]), 1e-6)
    spread = np.arcsin(np.clip(bodies.radii / distance, 0.0, 1.0))
    bearing = np.arctan2(-offset[:, 1], offset[:, 0])
    across = np.linspace(-0.8, 0.8, RAYS)
    headings = bearing[:, None] + spread[:, None] * across[None]
    half_up = np.deg2rad(eye.field_of_view) / 2
    half_across = np.arctan(np.tan(half_up) * eye.aspect)
    turned = np.abs((headings - eye.heading + np.pi) % (2 * np.pi) - np.pi)
    rays = directions(headings.reshape(-1))
    near = body_distances(eye.position, rays, bodies).reshape(count, RAYS, count)
    own = near[np.arange(count), :, np.arange(count)]
    wall = wall_distances(eye.position, rays, segments).reshape(count, RAYS)
    seen = (turned < half_across) & np.isfinite(own) & (own <= wall) & (own <= near.min(axis=2) + 1e-9)
    gap = np.maximum(distance - bodies.radii, 0.05)
    up = np.deg2rad(eye.pitch)
    low, high = np.arctan2(bodies.bottoms - eye.height, gap), np.arctan2(bodies.tops - eye.height, gap)
    upright = (high > up - half_up) & (low < up + half_up)
    return np.asarray(seen.mean(axis=1) * upright)


def distance_ahead(eye: Eye, bodies: Bodies, segments: np.ndarray) -> float:
    """Metres from the agent's middle, straight ahead, to the first wall or body; inf where there is none."""
    ray = directions(np.array([eye.heading]))
    wall = wall_distances(eye.position, ray, segments)[0]
    if len(bodies.radii) == 0:
        return float(wall)
    return float(min(wall, body_distances(eye.position, ray, bodies).min()))
