"""Figure: which weights were tried for each arm, what they were worth, and which one was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from perma_agent.evaluation.report.style import ARMS, INK, MUTED, PAPER, new_figure, styled

COLUMNS = 4
"""Panels side by side."""


@dataclass(frozen=True, kw_only=True)
class WeightsTried:
    """Weights of one arm on the seeds that they are chosen by."""

    means: str
    """What the weight is of."""
    merits: Mapping[float, tuple[float, ...]]
    """Weight, above 0, → its merit on each seed."""
    chosen: float | None = None
    """The weight taken; None where it is not chosen yet."""


@styled
def weight_search(arms: Mapping[str, WeightsTried], *, merit: str = "merit") -> Figure:
    """Merit over weight on a logarithmic axis, one panel an arm, all on one scale.

    What to see: the ring marks the weight that was chosen. Where it stands at the end of an axis, a better one may lie
    outside; where the line is flat, the arm does not care.

    Args:
        arms: what was tried for each.
        merit: what the vertical axis is.

    Raises:
        ValueError: no arms, or one without a weight above 0.
    """
    bad = [arm for arm, tried in arms.items() if not tried.merits or min(tried.merits) <= 0]
    if not arms or bad:
        raise ValueError(f"expected weights above 0 of at least one arm, got none of {', '.join(bad) or 'any'}")
    columns = min(COLUMNS, len(arms))
    rows = -(-len(arms) // columns)
    figure = new_figure(0.6 + 2.1 * columns, 0.5 + 2.0 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, (arm, tried) in zip(grid.flat, arms.items(), strict=False):
        _draw(axes, tried)
        axes.set_title(arm)
    for axes in grid.flat[len(arms) :]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_ylabel(merit)
    return figure


def _draw(axes: Axes, tried: WeightsTried) -> None:
    weights = sorted(tried.merits)
    means = [float(np.mean(tried.merits[weight])) for weight in weights]
    for weight in weights:
        if len(seeds := tried.merits[weight]) > 1:
            axes.plot([weight] * len(seeds), seeds, "_", color=MUTED, markersize=7, zorder=2)
    axes.plot(weights, means, color=ARMS[0], marker="o", markersize=4, zorder=3)
    if tried.chosen is not None and tried.chosen in tried.merits:
        place = weights.index(tried.chosen)
        axes.plot(
            tried.chosen,
            means[place],
            "o",
            fillstyle="none",
            color=PAPER,
            markeredgecolor=INK,
            markersize=11,
            markeredgewidth=1.2,
            zorder=4,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(weights))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(weights, [f"{weight:g}" for weight in weights])
    axes.set_xlabel(tried.means)
    axes.margins(x=0.15, y=0.15)
