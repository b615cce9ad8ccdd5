"""What an agent at some pose can see, from geometry alone: no second rendering is needed for the factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RAYS = 5
"""Rays cast at each object, across its width."""
_ACROSS = np.linspace(-0.8, 0.8, RAYS)


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
    a_x, a_z = segments[:, 0, 0] - origin[0], segments[:, 0, 1] - origin[1]
    along_x, along_z = segments[:, 1, 0] - segments[:, 0, 0], segments[:, 1, 1] - segments[:, 0, 1]
    ray_x, ray_z = rays[:, :1], rays[:, 1:]
    det = ray_z * along_x - ray_x * along_z
    parallel = np.abs(det) < 1e-12
    det[parallel] = 1.0
    t = (a_z * along_x - a_x * along_z) / det
    u = (ray_x * a_z - ray_z * a_x) / det
    t[parallel | (t < 0) | (u < 0) | (u > 1)] = np.inf
    return np.asarray(t.min(axis=1))


def body_distances(origin: np.ndarray, rays: np.ndarray, bodies: Bodies) -> np.ndarray:
    """Distance along each unit ray `[R, 2]` to where it enters each body's circle; inf where it passes by, `[R, K]`."""
    offset = bodies.positions - origin
    along = rays @ offset.T
    depth = bodies.radii**2 - (offset * offset).sum(1) + along * along
    enters = np.maximum(along - np.sqrt(np.maximum(depth, 0.0)), 0.0)
    enters[(depth <= 0) | (along <= 0)] = np.inf
    return np.asarray(enters)


def look(eye: Eye, bodies: Bodies, segments: np.ndarray) -> tuple[float, np.ndarray]:
    """What stands straight ahead, and how much of each body is in the picture.

    A ray at a body counts when it lies within the horizontal angle of view, reaches the body before any wall and before
    any other body, and some of the body's height lies within the vertical angle. Walls are taller than the eye.

    Args:
        eye: position, heading and lens.
        bodies: K of them.
        segments: walls, shape `[M, 2, 2]`.

    Returns:
        Metres from the eye straight ahead to the first wall or body (inf where there is none), and the share of each
        body's width that is seen, in steps of 1 / `RAYS`, shape `[K]`.
    """
    count = len(bodies.radii)
    ahead = directions(np.array([eye.heading]))
    if count == 0:
        return float(wall_distances(eye.position, ahead, segments)[0]), np.zeros(0)
    offset = bodies.positions - eye.position
    distance = np.maximum(np.hypot(offset[:, 0], offset[:, 1]), 1e-6)
    spread = np.arcsin(np.minimum(bodies.radii / distance, 1.0))
    headings = np.arctan2(-offset[:, 1], offset[:, 0])[:, None] + spread[:, None] * _ACROSS
    half_up = np.deg2rad(eye.field_of_view) / 2
    half_across = np.arctan(np.tan(half_up) * eye.aspect)
    within = np.abs((headings - eye.heading + np.pi) % (2 * np.pi) - np.pi) < half_across
    near_edge = np.maximum(distance - bodies.radii, 0.05)
    up = np.deg2rad(eye.pitch)
    low = np.arctan2(bodies.bottoms - eye.height, near_edge)
    high = np.arctan2(bodies.tops - eye.height, near_edge)
    within &= ((high > up - half_up) & (low < up + half_up))[:, None]
    rays = np.concatenate([ahead, directions(headings[within])])  # only those that can count
    bodies_at = body_distances(eye.position, rays, bodies)
    first = bodies_at.min(axis=1)
    wall = wall_distances(eye.position, rays, segments)
    body, _ = np.nonzero(within)
    own = bodies_at[1:][np.arange(len(body)), body]
    seen = np.isfinite(own) & (own <= wall[1:]) & (own <= first[1:] + 1e-9)
    return float(min(wall[0], first[0])), np.bincount(body[seen], minlength=count) / RAYS
