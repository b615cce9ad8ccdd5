"""Figure: heat-maps of factors against latents, one an arm, the latents in use first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from perma_agent.evaluation.report.style import INK, MUTED, PAPER, new_figure, styled

COLUMNS = 4
"""Maps side by side."""
SIDE = 0.21
"""Inches of a field's side, at most."""
LETTER, ABOVE, BELOW, BETWEEN, BAR = 0.07, 0.3, 0.25, 0.15, 0.75
"""Inches for each letter of the longest factor, above and below a map, between two, and for the bar of colours."""
VEIL = 0.65
"""Opacity of the white over latents that are not in use."""
USED_ABOVE = 0.1
"""Nats from which on a latent counts as used."""


@dataclass(frozen=True, kw_only=True)
class FactorMap:
    """How K factors and D latents of one code go together."""

    title: str
    """Of the code."""
    values: np.ndarray
    """Not negative, shape `[K, D]`."""
    information: np.ndarray
    """Nats of each latent, shape `[D]`."""

    @property
    def order(self) -> np.ndarray:
        """Latents, the most telling first, shape `[D]`."""
        return np.argsort(-self.information, kind="stable")

    @property
    def used(self) -> int:
        """How many latents are in use."""
        return int((self.information > USED_ABOVE).sum())


@styled
def factor_maps(
    maps: Sequence[FactorMap], factors: Sequence[str], *, label: str, greatest: float | None = None
) -> Figure:
    """One heat-map an arm: a factor a row, a latent a column, sorted by how much the latent tells.

    What to see: in a disentangled code each row has one dark field, and no column two. Latents that are not in use
    stand at the right, behind the line, and are faint.

    Args:
        maps: of each arm, all of the same factors and as many latents.
        factors: names of the K factors.
        label: what the colour means, with its unit.
        greatest: value of the darkest colour; None takes the greatest there is.

    Raises:
        ValueError: no maps, or arrays that do not fit together.
    """
    shapes = {one.values.shape for one in maps} | {(len(factors), len(one.information)) for one in maps}
    if len(shapes) != 1:
        raise ValueError(f"expected maps of {len(factors)} factors and as many latents in all, got {sorted(shapes)}")
    most = greatest or max(float(one.values.max()) for one in maps) or 1.0
    count, latents = next(iter(shapes))
    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    side = min(SIDE, 8.0 / columns / latents)
    broad, deep = latents * side, count * side
    left = 0.15 + LETTER * max(map(len, factors))
    size = (left + columns * (broad + BETWEEN) + BAR, max(rows * (deep + ABOVE + BELOW), 1.8))
    figure = new_figure(*size, layout=None)  # a layout of matplotlib's own moves square fields at each drawing
    for place, one in enumerate(maps):
        row, column = divmod(place, columns)
        corner = (left + column * (broad + BETWEEN), size[1] - (row + 1) * (deep + ABOVE + BELOW) + BELOW)
        axes = figure.add_axes(_share(size, *corner, broad, deep))
        mesh = _draw(axes, one, scale=Normalize(0, most))
        axes.set_title(one.title, fontsize=9)
        axes.set_yticks(range(count), factors if column == 0 else [""] * count)
        axes.set_ylim(count - 0.5, -0.5)
    bar = figure.add_axes(_share(size, size[0] - BAR + 0.05, BELOW, 0.12, size[1] - ABOVE - BELOW))
    figure.colorbar(mesh, cax=bar, label=label)
    return figure


def _share(size: Sequence[float], *inches: float) -> tuple[float, float, float, float]:
    """Left, lower side, width and height in inches as shares of the figure."""
    left, low, width, height = inches
    return left / size[0], low / size[1], width / size[0], height / size[1]


def _draw(axes: Axes, one: FactorMap, *, scale: Normalize) -> QuadMesh:
    values, latents = one.values[:, one.order], len(one.information)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    across, down = (np.arange(size + 1) - 0.5 for size in (latents, len(values)))
    mesh = axes.pcolormesh(across, down, values, cmap=colormaps["BuPu"], norm=scale, edgecolors=PAPER, linewidth=0.5)
    axes.set_xticks(range(latents), [str(latent) for latent in one.order], fontsize=6.5)
    for place, tick in enumerate(axes.get_xticklabels()):
        tick.set_color(INK if place < one.used else MUTED)
    if one.used < latents:
        axes.axvspan(one.used - 0.5, latents - 0.5, color=PAPER, alpha=VEIL, linewidth=0, zorder=3)
        axes.axvline(one.used - 0.5, color=MUTED, linewidth=0.8, zorder=4)
    return mesh
