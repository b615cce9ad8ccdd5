"""Reachable ground: which square cells of a level's plane an agent can walk to, computed from its walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESOLUTION = 0.1
"""Metres between the points that are tried; a passage wider than the agent by less than this may be missed."""
STANDABLE = 0.25
"""Share of a cell's points that the agent's middle must be able to reach, or else the cell does not count by itself:
a sliver along a wall belongs to the cell beside it."""
BESIDE = 0.5
"""Sides of a cell by which a place may lie beside a cell that counts."""
AROUND = tuple((i, j) for i in (0, -1, 1) for j in (0, -1, 1))
"""From a cell to itself and to its neighbours."""
NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A level's plane in square cells of which R can be reached."""

    corner: tuple[float, float]
    """Smallest x and z of the cell (0, 0), metres."""
    cell: float
    """Side of a cell, metres."""
    walks: np.ndarray
    """Metres to walk from the start to the nearest point of each cell, along x and z alone; inf where none leads;
    float64, shape `[X, Z]`."""
    walls: np.ndarray
    """What was in the way, x and z of both ends, metres, shape `[M, 2, 2]`."""

    def __post_init__(self) -> None:
        if self.cell <= 0 or self.walks.ndim != 2 or not np.isfinite(self.walks).any():
            raise ValueError(
                f"expected cells of a positive side, one of them reachable, got a side of {self.cell} and walks of "
                f"shape {self.walks.shape}; does the start stand free of all walls?"
            )

    @property
    def reachable(self) -> np.ndarray:
        """Which cells count, bool, shape `[X, Z]`."""
        reached: np.ndarray = np.isfinite(self.walks)
        return reached

    @property
    def count(self) -> int:
        """R."""
        return int(self.reachable.sum())

    def cells_of(self, places: np.ndarray) -> np.ndarray:
        """The reachable cell that each place lies in, or beside: agents slide along walls, where slivers do not count.

        Args:
            places: x and z in metres, shape `[K, 2]`.

        Returns:
            0 to R - 1 in the order of `reachable`'s rows; of a place in a cell that does not count the nearest that
            does, if it is less than half a side away; -1 for all others and for places outside of the plane; int64,
            shape `[K]`.
        """
        numbers = np.full(tuple(side + 2 for side in self.walks.shape), -1, dtype=np.int64)  # with a rim of none
        numbers[1:-1, 1:-1][self.reachable] = np.arange(self.count)
        scaled = (places - np.array(self.corner)) / self.cell
        at = np.floor(scaled).astype(np.int64)
        inside = ((at >= 0) & (at < self.walks.shape)).all(axis=1)
        at = np.where(inside[:, None], at, 0)
        found, nearest = np.full(len(at), -1, dtype=np.int64), np.full(len(at), BESIDE)
        for shift in AROUND:
            near = at + shift
            away = np.hypot(*(np.maximum(np.maximum(near - scaled, scaled - near - 1.0), 0.0)).T)
            number = numbers[near[:, 0] + 1, near[:, 1] + 1]
            better = inside & (number >= 0) & (away < nearest)
            found[better], nearest[better] = number[better], away[better]
        return found


def reachable_ground(
    walls: np.ndarray,
    *,
    start: np.ndarray,
    radius: float,
    ends: np.ndarray | None = None,
    cell: float = 0.5,
    resolution: float = RESOLUTION,
) -> Ground:
    """Flood the plane from a start, as far as a circle of the agent's size fits between the walls.

    Points stand on a lattice; one is free if no wall is nearer than the radius and it lies in no circle that ends the
    episode. The flood goes from free points to free neighbours along x and z. A cell is reachable if at least
    `STANDABLE` of its points were flooded.

    Args:
        walls: segments that stop the agent, metres, shape `[M, 2, 2]`; they enclose the start.
        start: x and z of the agent's middle, metres, shape `[2]`.
        radius: of the agent, metres.
        ends: x, z and radius of the circles that nobody gets behind, since the episode is over when the agent's middle
            enters one, as at a goal; metres, shape `[K, 3]`.
        cell: side of a cell, metres, a multiple of `resolution`.
        resolution: of the lattice, metres.

    Raises:
        ValueError: there are no walls, the start is outside of them or too near to one, or the cell is no multiple.
    """
    parts = round(cell / resolution)
    if not len(walls) or parts < 1 or abs(parts * resolution - cell) > 1e-9:
        raise ValueError(
            f"expected walls, and cells whose side is a multiple of {resolution} m, got {len(walls)} walls and {cell} m"
        )
    low, high = walls.min(axis=(0, 1)), walls.max(axis=(0, 1))
    corner = np.floor(low / cell) * cell
    counts = np.maximum(np.ceil((high - corner) / cell).astype(int), 1)
    xs, zs = (corner[axis] + resolution * (np.arange(counts[axis] * parts) + 0.5) for axis in (0, 1))
    points = np.stack(np.meshgrid(xs, zs, indexing="ij"), axis=-1)
    free = clearances(points, walls) >= radius
    for x, z, reach in () if ends is None else ends:
        free &= np.hypot(points[..., 0] - x, points[..., 1] - z) >= reach
    walks = _flood(free, _seed(free, xs, zs, start)) * resolution
    fine = walks.reshape(counts[0], parts, counts[1], parts)
    enough = np.isfinite(fine).mean(axis=(1, 3)) >= STANDABLE
    nearest = np.where(enough, fine.min(axis=(1, 3)), np.inf)
    return Ground(corner=(float(corner[0]), float(corner[1])), cell=cell, walks=nearest, walls=walls)


def clearances(points: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """Distance of points to the nearest wall.

    Args:
        points: x and z, metres, shape `[..., 2]`.
        walls: shape `[M, 2, 2]`.

    Returns:
        Metres, shape `[...]`.
    """
    nearest = np.full(points.shape[:-1], np.inf)
    for one, other in walls:
        along = other - one
        where = np.clip((points - one) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
        offset = points - one - where[..., None] * along
        np.minimum(nearest, np.hypot(offset[..., 0], offset[..., 1]), out=nearest)
    return nearest


def _seed(free: np.ndarray, xs: np.ndarray, zs: np.ndarray, start: np.ndarray) -> tuple[int, int]:
    """The free lattice point nearest to the start, which stands no farther from one than a lattice's diagonal."""
    rows, columns = np.nonzero(free)
    step = xs[1] - xs[0] if len(xs) > 1 else np.inf
    away = np.hypot(xs[rows] - start[0], zs[columns] - start[1])
    if not len(away) or away.min() > 1.5 * step:
        raise ValueError(f"expected a start inside the walls, at least the agent's radius from each, got {list(start)}")
    nearest = int(away.argmin())
    return int(rows[nearest]), int(columns[nearest])


def _flood(free: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """Steps from the seed to every point over free ones, inf where none lead; breadth first, a whole front at once."""
    steps = np.full(free.shape, np.inf)
    rows, columns = np.array([seed[0]]), np.array([seed[1]])
    steps[seed] = 0.0
    passed = 0
    while len(rows):
        passed += 1
        near = np.concatenate([np.stack([rows + i, columns + j], axis=1) for i, j in NEIGHBOURS])
        near = near[((near >= 0) & (near < free.shape)).all(axis=1)]
        near = near[free[near[:, 0], near[:, 1]] & np.isinf(steps[near[:, 0], near[:, 1]])]
        rows, columns = np.unique(near, axis=0).T
        steps[rows, columns] = passed
    return steps
