"""Figure: how disentangled the factors met so far are, throughout a life in which one factor after another opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.history import World
from perma_agent.evaluation.report.seed_lines import arm_colours, check_lives, check_series, draw_seeds
from perma_agent.evaluation.report.style import FAINT, mark_switches, new_figure, styled
from perma_agent.evaluation.report.truth import draw_truth

SCORES = {"mig": "MIG", "mig_sup": "MIG-sup", "dci": "DCI disentanglement"}
"""Panels over the whole width."""
COLUMNS = 3
"""Panels of single factors side by side."""


@dataclass(frozen=True, kw_only=True)
class FactorSeries:
    """How one seed did at K moments of its life, on the factors open by then; scores in [0, 1]."""

    steps: np.ndarray
    """Batches seen until then, shape `[K]`, increasing."""
    mig: np.ndarray
    """Shape `[K]`."""
    mig_sup: np.ndarray
    """Shape `[K]`."""
    dci: np.ndarray
    """Disentanglement, shape `[K]`."""
    factors: Mapping[str, np.ndarray]
    """MIG of each factor, shape `[K]`; NaN while it is closed."""

    def __post_init__(self) -> None:
        scores = [(label, np.asarray(getattr(self, name))) for name, label in SCORES.items()]
        check_series(self.steps, [*scores, *((f"factor {name}", values) for name, values in self.factors.items())])


@styled
def factor_curves(lives: Mapping[str, Sequence[FactorSeries]], *, openings: Mapping[str, int], batches: int) -> Figure:
    """Three scores of the factors open so far against the batches seen, and below them the MIG of each factor.

    What to see: at each opening (dashed, named above) the scores fall, since there is a factor that no latent knows
    yet, and should climb back. In the panels of single factors grey ground is the time before the opening; a factor
    learnt must stay learnt when others open. Thin: seeds; thick: their mean.

    Args:
        lives: the seeds of each arm; those of an arm at the same steps.
        openings: the first batch in which each factor varies, by name.
        batches: of a whole life.

    Raises:
        ValueError: no lives, lives that cannot be averaged, or factors without an opening.
    """
    _check(lives, openings)
    names = sorted(openings, key=lambda name: openings[name])  # stable: those that open together keep their order
    starts = sorted(set(openings.values()))
    worlds = [
        World(name="+ " + ", ".join(name for name in names if openings[name] == start), start=start) for start in starts
    ]
    rows = len(SCORES) + -(-len(names) // COLUMNS)
    figure = new_figure(9.0, 0.9 + 1.5 * rows)
    grid = figure.add_gridspec(1 + rows, COLUMNS, height_ratios=[0.2, *[1.0] * rows])
    draw_truth(truth := figure.add_subplot(grid[0, :]), worlds, last=batches, label="opens")
    scores = [figure.add_subplot(grid[1 + row, :], sharex=truth) for row in range(len(SCORES))]
    for axes, (score, title) in zip(scores, SCORES.items(), strict=True):
        _draw_arms(axes, lives, {arm: [getattr(seed, score) for seed in seeds] for arm, seeds in lives.items()})
        axes.set_title(title)
        axes.tick_params(labelbottom=axes is scores[-1])
    singles = []
    for place, name in enumerate(names):
        singles.append(axes := figure.add_subplot(grid[1 + len(SCORES) + place // COLUMNS, place % COLUMNS]))
        _draw_arms(axes, lives, {arm: [seed.factors[name] for seed in seeds] for arm, seeds in lives.items()})
        axes.set_title(f"MIG of {name}")
        axes.axvspan(0, openings[name] - 0.5, color=FAINT, alpha=0.6, linewidth=0, zorder=0)
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axes in (*scores, *singles):
        mark_switches(axes, worlds)
        axes.set(xlim=(0, batches + 0.5), ylim=(-0.03, 1.03))
    figure.supxlabel("batch", fontsize=9)
    handles, labels = scores[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _draw_arms(
    axes: Axes, lives: Mapping[str, Sequence[FactorSeries]], values: Mapping[str, Sequence[np.ndarray]]
) -> None:
    for arm, colour in arm_colours(lives).items():
        draw_seeds(axes, lives[arm][0].steps, np.stack(values[arm]), colour=colour, label=arm)


def _check(lives: Mapping[str, Sequence[FactorSeries]], openings: Mapping[str, int]) -> None:
    check_lives(lives)
    for arm, seeds in lives.items():
        for seed in seeds:
            if set(seed.factors) != set(openings):
                raise ValueError(f"expected the factors {', '.join(openings)} in {arm}, got {', '.join(seed.factors)}")
