"""Figures: returns over steps and over time, an arm a line, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.report.style import ARMS as COLOURS
from perma_agent.evaluation.report.style import INK, MUTED, new_figure, styled

Along = Literal["steps", "minutes"]
LABELS: Mapping[Along, str] = {"steps": "level steps", "minutes": "minutes of one core"}
DASHED = (0, (4, 2))
LEADING = 2.4
"""Width of a line that is set off."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """One arm's curve on one level."""

    title: str
    """Of the arm."""
    along: np.ndarray
    """Steps or minutes, shape `[K]`."""
    value: np.ndarray
    """IQM over runs, shape `[K]`."""
    low: np.ndarray
    """Lower end of its interval, shape `[K]`."""
    high: np.ndarray
    """Upper end."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One level."""

    title: str
    """Of the level."""
    label: str
    """Of the vertical axis."""
    bands: Sequence[Band]
    """Of the arms."""
    marks: Mapping[str, float]
    """Heights to draw a line at, by what they are."""


@styled
def efficiency_figure(panels: Sequence[Panel], *, along: Along, leading: str | None = None) -> Figure:
    """Learning curves, a panel a level and a line an arm.

    What to see: how far left an arm reaches the height at which another ends; where bands overlap, seeds alone may
    explain the difference.

    Args:
        panels: at least one.
        along: what the horizontal axis shows.
        leading: title of the arm whose line is thick and dark.

    Raises:
        ValueError: there is no panel.
    """
    if not panels:
        raise ValueError("expected at least one panel, got none")
    figure = new_figure(min(4.3 * len(panels) + 0.6, 13.0), 4.1)
    titles = list(dict.fromkeys(band.title for panel in panels for band in panel.bands))
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for band in panel.bands:
            colour = INK if band.title == leading else COLOURS[titles.index(band.title) % len(COLOURS)]
            look: Any = {"color": colour}
            axes.fill_between(band.along, band.low, band.high, alpha=0.16, linewidth=0, **look)
            width = LEADING if band.title == leading else 1.4
            axes.plot(band.along, band.value, label=band.title, linewidth=width, **look)
        _mark(axes, panel.marks)
        axes.set(title=panel.title, xlabel=LABELS[along], ylabel=panel.label)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    found: dict[str, Any] = {}
    for axes in figure.axes:
        found |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    order = [title for title in titles if title in found]
    figure.legend([found[title] for title in order], order, loc="outside lower center", ncols=min(len(order), 6))
    return figure


def _mark(axes: Axes, marks: Mapping[str, float]) -> None:
    """Dashed lines across the panel, named at their right end."""
    for name, height in marks.items():
        axes.axhline(height, color=MUTED, linewidth=0.9, linestyle=DASHED, zorder=1)
        axes.annotate(
            name,
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=7,
            color=INK,
        )
