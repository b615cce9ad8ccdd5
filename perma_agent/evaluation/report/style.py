"""How every figure looks: type, lines, and colours that the colour-blind can tell apart; matplotlib's objects only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from perma_agent.evaluation.history import World

INK, MUTED, FAINT, PAPER = "#1f2933", "#66727f", "#d9dfe5", "#ffffff"
ENVIRONMENTS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a800")
"""Colour of each environment s, after Okabe and Ito, in every figure alike; they mean nothing else."""
ARMS = ("#332288", "#117733", "#cc6677", "#88ccee", "#999933", "#882255", "#44aa99")
"""Colours of policies and arms, after Tol's muted scheme."""
DPI = 150
"""Pixels per inch of a saved figure."""

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.formatter.useoffset": False,
}
"""Settings of matplotlib, by its own names."""

styled = mpl.rc_context(STYLE)
"""Decorates a figure function: the style holds while it runs and leaves no trace."""


def new_figure(width: float, height: float, *, layout: str | None = "constrained") -> Figure:
    """An empty figure of that size in inches, on an Agg canvas that no window system knows of."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)  # type: ignore[arg-type]  # the stub lists the names
    FigureCanvasAgg(figure)
    return figure


def environment_colour(environment: int) -> str:
    """The colour of environment s; from the eighth on they come round again."""
    return ENVIRONMENTS[environment % len(ENVIRONMENTS)]


def mark_switches(axes: Axes, worlds: Sequence[World]) -> None:
    """A vertical line at each true switch, between the last batch of one world and the first of the next."""
    for world in worlds[1:]:
        axes.axvline(world.start - 0.5, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)


def smoothed(values: np.ndarray, *, parts: int = 100) -> np.ndarray:
    """Mean of each value and those before it, over a `parts`-th of them all, so that no change shows before it came.

    Args:
        values: shape `[K]`; NaN where unknown, which is passed over.
        parts: how many stretches the values are divided into.

    Returns:
        Shape `[K]`; NaN where the value is.
    """
    window = max(1, len(values) // parts)
    known = np.isfinite(values)
    counts, sums = (
        np.convolve(those, np.ones(window))[: len(values)] for those in (known, np.where(known, values, 0.0))
    )
    means: np.ndarray = np.divide(sums, counts, out=np.full(len(values), np.nan), where=known)
    return means


def png(figure: Figure) -> bytes:
    """The figure as a PNG of `DPI` pixels per inch; the same bytes for the same figure, however often it is asked.

    It is laid out once before it is drawn, since matplotlib's layout moves by a hair at the first drawing.
    """
    figure.draw_without_rendering()
    buffer = io.BytesIO()
    colour = figure.get_facecolor()
    figure.savefig(
        buffer, format="png", dpi=DPI, facecolor=colour, metadata={"Software": None}, pil_kwargs={"optimize": True}
    )
    return buffer.getvalue()
