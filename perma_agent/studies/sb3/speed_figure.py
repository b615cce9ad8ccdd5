"""Figure: steps a second of PPO through each kind of eyes, and each round's ratio to NatureCNN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report.style import ARMS, INK, MUTED, PAPER, new_figure, styled
from perma_agent.studies.sb3.rows import SPEED_GOALS, median, ratios
from perma_agent.studies.sb3.timed_agents import EYES, LEVEL, REFERENCE

WIDE = 0.36
"""Rows between the bars of two numbers of threads."""


@styled
def speed_figure(timed: Mapping[int, Cell]) -> Figure:
    """Steps a second (medians, quartiles as whiskers), and paired ratios to NatureCNN (medians, 95% intervals).

    What to see: on the right, dots right of the mark in their row, which is the bar of that arm; on the left, how near
    an arm comes to the level alone, since what is left is no fault of its eyes.

    Args:
        timed: cells of timings by number of threads.
    """
    figure = new_figure(9.5, 1.1 + 0.42 * len(EYES))
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(EYES)
    for place, (threads, cell) in enumerate(timed.items()):
        shift = WIDE * (place - (len(timed) - 1) / 2)
        colour, label = ARMS[place % len(ARMS)], f"{threads} thread{'s' if threads > 1 else ''}"
        _draw_rates(left, cell, names, shift=shift, colour=colour, label=label)
        _draw_ratios(right, cell, names, shift=shift, colour=colour)
    for arm, goal in SPEED_GOALS.items():
        row = names.index(arm)
        bar = float(goal.split()[1])
        right.vlines(bar, row - 0.42, row + 0.42, color=INK, linewidth=1.6)
    right.axvline(1.0, color=MUTED, linestyle=(0, (5, 3)), linewidth=1.0, zorder=1)
    left.set_yticks(range(len(names)), [EYES[name] for name in names])
    left.invert_yaxis()
    left.set(title="Learning", xlabel="steps a second, all copies together", xlim=(0, None))
    right.set(title="Over NatureCNN", xlabel="ratio in the same round", xlim=(0, None))
    for axes in (left, right):
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=2 * len(timed))
    return figure


def _draw_rates(axes: Axes, cell: Cell, names: list[str], *, shift: float, colour: str, label: str) -> None:
    quartiles = np.array([np.quantile(cell.series[name], [0.25, 0.5, 0.75]) for name in names])
    low, middle, high = quartiles.T
    rows = np.arange(len(names)) + shift
    axes.barh(rows, middle, 0.9 * WIDE, color=colour, label=label)
    axes.errorbar(middle, rows, xerr=[middle - low, high - middle], fmt="none", color=INK, linewidth=0.8)
    alone = float(np.median(cell.series[LEVEL]))
    axes.axvline(alone, color=colour, linestyle=":", linewidth=1.4, label=f"level alone, {label}", zorder=1)


def _draw_ratios(axes: Axes, cell: Cell, names: list[str], *, shift: float, colour: str) -> None:
    for row, name in enumerate(names):
        if name == REFERENCE:
            continue
        values, found = ratios(cell, name), median(ratios(cell, name))
        axes.plot(values, np.full(len(values), row + shift), "o", color=colour, markersize=2.5, alpha=0.45)
        axes.plot([found.low, found.high], [row + shift] * 2, color=colour, linewidth=2.0)
        axes.plot(found.value, row + shift, "o", color=colour, markeredgecolor=PAPER, markersize=7, zorder=3)
