"""Figure: where agents went, seen from above, one map an arm, all in the same episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from perma_agent.evaluation.reachable import Ground
from perma_agent.evaluation.report.style import ENVIRONMENTS, FAINT, INK, new_figure, styled

COLUMNS = 4
"""Maps side by side."""
HEAT = "viridis_r"
"""Matplotlib's colours of visits: light for few, dark for many; told apart by the colour-blind and in grey."""


@dataclass(frozen=True, kw_only=True)
class TopDownMap:
    """Where one agent went."""

    title: str
    """Above the map."""
    ground: Ground
    """The cells that can be reached, and the walls."""
    visits: np.ndarray
    """Steps spent in each of the R reachable cells, shape `[R]`."""
    start: tuple[float, float]
    """x and z, metres."""
    goal: tuple[float, float]
    """x and z, metres."""

    def __post_init__(self) -> None:
        if self.visits.shape != (self.ground.count,):
            raise ValueError(
                f"expected visits of the {self.ground.count} reachable cells, got shape {self.visits.shape}"
            )


@styled
def visit_maps(maps: Sequence[TopDownMap]) -> Figure:
    """Maps side by side, north up (z downwards, as the factors have it), all on one scale of colours.

    What to see: grey was never met though it can be reached; the darker, the longer an agent stayed. The ring is where
    every episode begins, the star the goal, where it ends.

    Args:
        maps: at least one.

    Raises:
        ValueError: there are none.
    """
    if not maps:
        raise ValueError("expected at least one map, got none")
    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    figure = new_figure(0.7 + 2.3 * columns, 0.3 + 2.5 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    most = max(2, *(int(each.visits.max(initial=0)) for each in maps))
    drawn = [_draw(axes, each, most=most) for axes, each in zip(grid.flat, maps, strict=False)]
    for axes in grid.flat[len(maps) :]:
        axes.set_visible(False)
    figure.colorbar(drawn[0], ax=grid, label="steps in a cell", shrink=0.8, aspect=30)
    return figure


def _draw(axes: Axes, shown: TopDownMap, *, most: int) -> AxesImage:
    ground = shown.ground
    counts = np.full(ground.walks.shape, np.nan)
    counts[ground.reachable] = np.where(shown.visits > 0, shown.visits, np.nan)
    x, z = ground.corner
    across, down = (side * ground.cell for side in ground.walks.shape)
    extent = (x, x + across, z + down, z)
    empty = np.where(ground.reachable, 1.0, np.nan)
    axes.imshow(empty.T, extent=extent, cmap="Greys", vmin=0.0, vmax=6.0, interpolation="nearest", zorder=1)
    image = axes.imshow(counts.T, extent=extent, cmap=HEAT, norm=LogNorm(1, most), interpolation="nearest", zorder=2)
    axes.add_collection(LineCollection(list(ground.walls), colors=INK, linewidths=0.9, zorder=3))
    axes.plot(*shown.start, "o", fillstyle="none", color=ENVIRONMENTS[4], markersize=7, markeredgewidth=1.6, zorder=4)
    axes.plot(*shown.goal, "*", color=ENVIRONMENTS[4], markeredgecolor=FAINT, markersize=9, zorder=4)
    axes.set_title(shown.title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_aspect("equal")
    low, high = ground.walls.min(axis=(0, 1)), ground.walls.max(axis=(0, 1))
    axes.set_xlim(low[0] - 0.3, high[0] + 0.3)
    axes.set_ylim(high[1] + 0.3, low[1] - 0.3)
    return image
