"""Figure: what each arm scores, a panel a measure, with every seed and an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.report.style import ARMS, FAINT, INK, MUTED, PAPER, new_figure, styled
from perma_agent.evaluation.statistics import Estimate

COLOURS = {True: ARMS[2], False: ARMS[0]}
"""Of arms that are held against the others, and of these."""
BELOW = 0.24
"""Rows below an arm's mean at which its seeds stand."""
ROW = 0.36
"""Inches of a row."""


@dataclass(frozen=True, kw_only=True)
class ArmScore:
    """What one arm scores by one measure."""

    arm: str
    """Its title."""
    estimate: Estimate
    """Mean over seeds and its interval."""
    seeds: Sequence[float] = ()
    """The score of each seed."""
    ours: bool = False
    """Whether it is one of those that are held against the others."""


@styled
def arm_scores(
    panels: Mapping[str, Sequence[ArmScore]],
    *,
    names: tuple[str, str] = ("ours", "others"),
    reference: str | None = None,
    best: bool = True,
) -> Figure:
    """Mean of each arm as a dot with its interval, its seeds as strokes below, one panel a measure.

    What to see: further right is more. The ring marks the greatest mean of a panel, the dashed line the mean of the
    arm that all are compared with. Where an interval does not reach into another's, seeds alone do not explain the
    difference.

    Args:
        panels: scores by the measure's title; all panels have the same rows, an arm without a score an empty one.
        names: in the legend, of the arms held against the others, and of these.
        reference: the arm whose mean is drawn as a line.
        best: whether to ring the greatest mean.

    Raises:
        ValueError: no panel or an empty one, or an arm twice in one.
    """
    for measure, scores in panels.items():
        arms = [score.arm for score in scores]
        if not arms or len(set(arms)) != len(arms):
            raise ValueError(f"expected each arm once by {measure}, at least one, got {arms}")
    if not panels:
        raise ValueError("expected at least one measure, got none")
    rows = list(dict.fromkeys(score.arm for scores in panels.values() for score in scores))
    figure = new_figure(9.0, 1.15 + ROW * len(rows))
    axes_of = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (measure, scores) in zip(axes_of, panels.items(), strict=True):
        _draw_panel(axes, scores, rows, names=names, reference=reference, best=best)
        axes.set_title(measure)
        axes.hlines(np.arange(len(rows) - 1) + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, lw=0.8)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.08)
    axes_of[0].set_yticks(range(len(rows)), rows)
    axes_of[0].set_ylim(len(rows) - 0.5, -0.5)
    found: dict[str, Any] = {}
    for axes in axes_of:
        found |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    order = [name for name in (*names, "one seed", "greatest mean", f"mean of {reference}") if name in found]
    figure.legend([found[name] for name in order], order, loc="outside upper center", ncols=len(order))
    return figure


def _draw_panel(
    axes: Axes,
    scores: Sequence[ArmScore],
    rows: Sequence[str],
    *,
    names: tuple[str, str],
    reference: str | None,
    best: bool,
) -> None:
    for score in scores:
        y, colour, estimate = rows.index(score.arm), COLOURS[score.ours], score.estimate
        if len(score.seeds) > 1:
            style: Any = {"color": colour, "markersize": 5, "label": "one seed", "zorder": 2, "alpha": 0.8}
            axes.plot(score.seeds, np.full(len(score.seeds), y + BELOW), "|", **style)
        axes.hlines(y, estimate.low, estimate.high, color=colour, linewidth=2.2, zorder=3)
        axes.plot(estimate.value, y, "o", color=colour, markersize=6, label=names[not score.ours], zorder=4)
        if score.arm == reference:
            axes.axvline(
                estimate.value, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), label=f"mean of {reference}"
            )
    if best and len(scores) > 1:
        first = max(scores, key=lambda score: score.estimate.value)
        ring: Any = {"color": PAPER, "markeredgecolor": INK, "markersize": 11, "markeredgewidth": 1.2}
        axes.plot(
            first.estimate.value,
            rows.index(first.arm),
            "o",
            fillstyle="none",
            label="greatest mean",
            zorder=5,
            **ring,
        )
