"""Figure: the terms of the objective and the information in the code over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.report.style import ARMS, FAINT, INK, mark_switches, new_figure, smoothed, styled

PREFIX = "loss/"
UNITS = {
    "capacity": "nats²",
    "permanence": "cost of change",
}
"""Of the terms that are not in nats per frame."""
ORDER = ("reconstruction", "capacity", "information", "permanence", "encoder_proximity", "decoder_proximity")
"""Of the panels; other terms follow by name."""


@styled
def loss_curves(history: LearningHistory, *, worlds: Sequence[World] = ()) -> Figure:
    """Each term of the objective, unweighted, and the information in the code beside what was granted.

    What to see: reconstruction falls, jumps at a switch (dashed), and falls again; the dreaming terms begin with the
    second environment and must stay small, for they measure what is being forgotten; the information used follows the
    capacity granted, else the weight of the capacity term is wrong. Pale: every batch; dark: running mean.

    Args:
        history: of the learner.
        worlds: the truth, first world first.
    """
    present = [name.removeprefix(PREFIX) for name in history.metrics if name.startswith(PREFIX)]
    terms = sorted(
        set(present) - {"total"}, key=lambda term: (ORDER.index(term) if term in ORDER else len(ORDER), term)
    )
    columns = 3
    rows = 1 + -(-len(terms) // columns)
    figure = new_figure(9.0, 0.3 + 1.9 * rows)
    grid = figure.add_gridspec(rows, columns)
    information = figure.add_subplot(grid[0, :])
    _draw_information(information, history)
    axes = [information]
    for index, term in enumerate(terms):
        axes.append(figure.add_subplot(grid[1 + index // columns, index % columns]))
        axes[-1].xaxis.set_major_locator(MaxNLocator(4, integer=True))
        _draw_term(axes[-1], history, PREFIX + term)
        axes[-1].set(title=term.replace("_", " "), ylabel=UNITS.get(term, "nats"))
    for one in axes:
        mark_switches(one, worlds)
        one.set_xlim(history.steps[0], history.steps[-1])
    figure.supxlabel("batch", fontsize=9)
    return figure


def _draw_term(axes: Axes, history: LearningHistory, name: str) -> None:
    values = history.metric(name)
    axes.plot(history.steps, values, color=FAINT, linewidth=0.8)
    axes.plot(history.steps, smoothed(values), color=ARMS[0], linewidth=1.4)
    known = values[np.isfinite(values)]
    if len(known) and (known > 0).all() and known.max() > 20 * known.min():
        axes.set_yscale("log")


def _draw_information(axes: Axes, history: LearningHistory) -> None:
    used, granted = history.metric("capacity/used"), history.metric("capacity/granted")
    axes.plot(history.steps, used, color=FAINT, linewidth=0.8)
    axes.plot(history.steps, smoothed(used), color=ARMS[0], linewidth=1.4, label="used")
    axes.plot(history.steps, granted, ":", color=INK, linewidth=1.4, label="granted")
    axes.set_title("information in the code")
    axes.set_ylabel("nats")
    axes.legend(loc="upper right", ncols=2)
