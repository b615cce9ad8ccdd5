"""Figure: what each arm lost of what its probes could read, beside the paper's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.report.style import ARMS, FAINT, INK, PAPER, new_figure, styled
from perma_agent.evaluation.statistics import Estimate

Changes = tuple[float, float]
"""Change of accuracy in points and of position MSE in 1e-4."""
COLOURS = {False: ARMS[0], True: ARMS[2]}
"""Of disentangled and of entangled arms."""
LEGEND = ("disentangled", "entangled", "one seed", "paper")
"""Order of the legend."""
SHIFT, BELOW = 0.22, 0.14
"""Rows above and below an arm's name at which its two learners stand, and rows below these at which their seeds do."""


@dataclass(frozen=True, kw_only=True)
class AblationRow:
    """What became of one arm's probes, over its seeds."""

    arm: str
    """E.g. `sda`; the same for its entangled learner."""
    entangled: bool = False
    """Whether it was trained as a plain VAE."""
    accuracy: Estimate
    """Change of accuracy in points, with a 95% interval; negative where something was lost."""
    position: Estimate
    """Change of position MSE in 1e-4, with a 95% interval; positive where something was lost."""
    seeds: Sequence[Changes] = ()
    """Both changes of each seed."""


@styled
def ablation_chart(rows: Sequence[AblationRow], *, paper: Mapping[tuple[str, bool], Changes] | None = None) -> Figure:
    """Change of accuracy and of position error of each arm, its disentangled learner above its entangled one.

    What to see: nearer to the line at 0 is less forgotten. Dots are means over seeds with 95% intervals, small strokes
    the single seeds, hollow diamonds what the paper reports. The full arm should lie nearest to 0 in both panels and
    its interval should not overlap those of the others; where the diamonds lie in the same order as the dots, the
    ablation has been reproduced even if its numbers have not.

    Args:
        rows: of each arm and, if there is one, of its entangled learner; arms are drawn in the order of their first
            row.
        paper: what the paper reports, by arm and whether it was entangled.

    Raises:
        ValueError: no rows, or one twice.
    """
    keys = [(row.arm, row.entangled) for row in rows]
    if not keys or len(set(keys)) != len(keys):
        raise ValueError(f"expected each arm once or twice, disentangled and entangled, got {keys}")
    places = {arm: place for place, arm in enumerate(dict.fromkeys(row.arm for row in rows))}
    figure = new_figure(9.0, 1.3 + 0.52 * len(places))
    panels = figure.subplots(1, 2, sharey=True)
    for which, axes in enumerate(panels):
        for row in rows:
            y = places[row.arm] + (SHIFT if row.entangled else -SHIFT)
            estimate = (row.accuracy, row.position)[which]
            _draw_row(axes, y, estimate, np.array([seed[which] for seed in row.seeds]), entangled=row.entangled)
            reported = (paper or {}).get((row.arm, row.entangled))
            if reported is not None:
                _draw_reported(axes, y, reported[which], entangled=row.entangled)
        _finish(axes, len(places))
    panels[0].set(title="objects", xlabel="change of accuracy (points)")
    panels[1].set(title="places", xlabel="change of position MSE (1e-4)")
    panels[0].set_yticks(range(len(places)), list(places))
    panels[0].set_ylim(len(places) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    shown = [label for label in LEGEND if label in found]
    figure.legend([found[label] for label in shown], shown, loc="outside upper center", ncols=len(shown))
    return figure


def _draw_row(axes: Axes, y: float, estimate: Estimate, seeds: np.ndarray, *, entangled: bool) -> None:
    colour = COLOURS[entangled]
    if len(seeds):
        below = np.full(len(seeds), y + BELOW)
        axes.plot(seeds, below, "|", color=colour, markersize=5, label="one seed", zorder=2)
    axes.hlines(y, estimate.low, estimate.high, color=colour, linewidth=2.0, zorder=3)
    label = "entangled" if entangled else "disentangled"
    axes.plot(estimate.value, y, "o", color=colour, markersize=6, label=label, zorder=4)


def _draw_reported(axes: Axes, y: float, value: float, *, entangled: bool) -> None:
    style: Any = {"color": PAPER, "markeredgecolor": COLOURS[entangled], "markersize": 6, "markeredgewidth": 1.2}
    axes.plot(value, y, "D", fillstyle="none", label="paper", zorder=5, **style)


def _finish(axes: Axes, arms: int) -> None:
    axes.axvline(0, color=INK, linewidth=1.0, zorder=1)
    axes.hlines(np.arange(arms - 1) + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.06)
