"""Figure: which environment the learner inferred at each batch, beside the truth it was never told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.history import SURPRISED, LearningHistory, World
from perma_agent.evaluation.report.style import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    environment_colour,
    mark_switches,
    new_figure,
    styled,
)
from perma_agent.evaluation.report.truth import draw_truth


@styled
def environments_over_time(history: LearningHistory, *, worlds: Sequence[World]) -> Figure:
    """Inferred environment at each batch, and the error that it was decided on.

    What to see: above, the true worlds; in the middle, one bar a stretch of batches given to an environment, with the
    surprising batches (given to none) as ticks below. A right learner's bar changes its row shortly after the dashed
    line and nowhere else. Below, the error under the likeliest environment: it must jump over its dotted limit at a
    switch and lie under it else. Grey stretches have no limit, since the environment is still in its burn-in: a switch
    within one cannot be noticed.

    Args:
        history: of the learner.
        worlds: the truth, first world first.
    """
    figure = new_figure(9.0, 5.0)
    truth, inferred, error = figure.subplots(3, 1, sharex=True, height_ratios=[0.28, 1.1, 1.7])
    draw_truth(truth, worlds, last=int(history.steps[-1]))
    _draw_environments(inferred, history)
    _draw_error(error, history)
    for axes in (inferred, error):
        mark_switches(axes, worlds)
    error.set_xlabel("batch")
    error.set_xlim(history.steps[0] - 0.5, history.steps[-1] + 0.5)
    return figure


def _draw_environments(axes: Axes, history: LearningHistory) -> None:
    known = sorted(set(history.environments) - {SURPRISED})
    for environment, begin, end in _stretches(history):
        if environment == SURPRISED:
            continue
        colour = environment_colour(environment)
        axes.broken_barh([(begin - 0.5, end - begin + 1)], (environment - 0.32, 0.64), color=colour, linewidth=0.8)
    surprising = history.steps[history.environments == SURPRISED]
    axes.plot(surprising, np.full(len(surprising), -1), "|", color=INK, markersize=9, markeredgewidth=1.0)
    openings = history.steps[history.opened]
    axes.plot(
        openings,
        history.environments[history.opened],
        marker="o",
        linestyle="",
        color=PAPER,
        markersize=4,
        markeredgecolor=INK,
        zorder=4,
    )
    axes.set_yticks([-1, *known], ["surprised", *map(str, known)])
    axes.set_ylim(max(known, default=0) + 0.6, -1.6)
    axes.set_ylabel("environment inferred")
    axes.grid(visible=False, axis="x")


def _draw_error(axes: Axes, history: LearningHistory) -> None:
    error, limit = history.metric("environment/error"), history.metric("environment/limit")
    burning_in = np.isnan(limit)
    across = axes.get_xaxis_transform()
    axes.fill_between(
        history.steps, 0, 1, where=burning_in, transform=across, step="mid", color=FAINT, alpha=0.5, label="burn-in"
    )
    for environment in sorted(set(history.environments)):
        given = history.environments == environment
        surprised = environment == SURPRISED
        axes.plot(
            history.steps[given],
            error[given],
            linestyle="",
            marker="x" if surprised else ".",
            markersize=5 if surprised else 3,
            color=INK if surprised else environment_colour(int(environment)),
            label="surprising" if surprised else f"environment {environment}",
        )
    axes.plot(history.steps, limit, ":", color=MUTED, linewidth=1.4, label="limit", zorder=1)
    shown = error[np.isfinite(error)]
    if len(shown) and (shown > 0).all():
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel("error (nats per frame)")
    axes.legend(ncols=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), markerscale=1.6)


def _stretches(history: LearningHistory) -> Iterator[tuple[int, int, int]]:
    """Runs of batches with one environment: s, first step, last step."""
    pairs = zip(history.environments.tolist(), history.steps.tolist(), strict=True)
    for environment, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
        steps = [step for _, step in group]
        yield environment, steps[0], steps[-1]
