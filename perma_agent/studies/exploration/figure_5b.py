"""Figure 5B of the VASE paper: digits that lie still are moved in imagination, then in fact; cells, rows and figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from perma_agent.continual.config_json import to_json
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report.style import ARMS as COLOURS
from perma_agent.evaluation.report.style import INK, new_figure, styled
from perma_agent.evaluation.results import Row
from perma_agent.studies.exploration.figure_5b_config import ARMS, Figure5BConfig
from perma_agent.studies.exploration.figure_5b_life import measure_figure_5b
from perma_agent.studies.page_parts import of_arm
from perma_agent.studies.planned_cell import PlannedCell
from perma_agent.studies.seed_rows import difference, row, row_id, seeds_of

PREFIX = "figure-5b"
"""The cells' arms begin with it."""
POINTS = 100.0


def plan_figure_5b(config: Figure5BConfig) -> list[PlannedCell]:
    """A cell for each arm and each of its seeds, `figure-5b-imagination` …, seed after seed."""
    cells = [
        PlannedCell(
            arm=f"{PREFIX}-{arm}",
            seed=seed,
            settings=_settings(config),
            work=float(sum(config.batches)),
            measure=partial(measure_figure_5b, config, arm, seed),
        )
        for arm, seeds in config.seeds.items()
        for seed in seeds
    ]
    return sorted(cells, key=lambda cell: cell.seed)


def figure_5b_rows(cells: Sequence[Cell]) -> list[Row]:
    """The two bars, then what else was measured of each arm; of a study's cells, those of figure 5B are taken."""
    gaps = {arm: seeds_of(cells, f"{PREFIX}-{arm}", "gap", scale=POINTS) for arm in ARMS}
    told = "accuracy on moving MNIST at the end of moving MNIST less that at the end of static MNIST"
    made = [
        row("fig5b_gap_with", gaps["imagination"], unit="points", goal="<= 10", note=f"{told}; with imagination"),
        row("fig5b_gap_without", gaps["still"], unit="points", goal=">= 20", note=f"{told}; nothing is pushed"),
    ]
    if len(gaps["random"]):
        made.append(row("fig5b_gap_random", gaps["random"], unit="points", note=f"{told}; pushes at random"))
    pairs = {arm: seeds_of(cells, f"{PREFIX}-{arm}", "accuracy_still", scale=POINTS) for arm in ARMS}
    for other in ("still", "random"):
        if len(pairs["imagination"]) and len(pairs[other]):
            id = f"fig5b_accuracy_still_over_{other}"
            made.append(difference(id, pairs["imagination"], pairs[other], unit="points"))
    figures = {"accuracy_still": POINTS, "accuracy_moving": POINTS, "covered": 1.0, "pushed": 1.0, "environments": 1.0}
    for arm in ARMS:
        for figure, scale in figures.items():
            if len(values := seeds_of(cells, f"{PREFIX}-{arm}", figure, scale=scale)):
                unit = "points" if scale == POINTS else ""
                made.append(row(row_id(f"fig5b_{arm}_{figure}"), values, unit=unit))
    made += [
        row(f"fig5b_{figure}", values, unit="R²", note="a regressor of places that learnt from garments alone")
        for figure in ("position_garments", "position_digits")  # the same life up to there, whoever acts later
        if len(values := seeds_of(cells, f"{PREFIX}-imagination", figure))
    ]
    return made


@styled
def figure_5b_figure(cells: Sequence[Cell]) -> Figure:
    """Accuracy on moving digits over batches, a line an arm (thin: seeds), and where digits lay meanwhile.

    What to see: whether the thick line stands at the end of the still world where it stands at the end of the moving
    one.

    Raises:
        ValueError: none of the cells is of figure 5B.
    """
    found = {arm: chosen for arm in ARMS if (chosen := of_arm(cells, f"{PREFIX}-{arm}"))}
    if not found:
        raise ValueError(f"expected cells whose arms begin with {PREFIX}, got none; run the study first")
    figure = new_figure(9.4, 3.4)
    grid = figure.add_gridspec(1, 1 + len(found), width_ratios=[4.0, *[1.2] * len(found)])
    axes = figure.add_subplot(grid[0])
    for place, (arm, chosen) in enumerate(found.items()):
        colour = INK if arm == "imagination" else COLOURS[place]
        curves = np.array([cell.series["accuracy"] for cell in chosen])
        at = chosen[0].series["batches"]
        axes.plot(at, curves.T, color=colour, linewidth=0.5, alpha=0.5)
        axes.plot(at, curves.mean(axis=0), color=colour, linewidth=1.8, label=ARMS[arm].split(":")[0])
    _name_worlds(axes, chosen[0])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("batches")
    axes.set_ylabel("moving digits told right")
    axes.legend(loc="lower right")
    for place, (arm, chosen) in enumerate(found.items(), start=1):
        lay = np.sum([cell.series["lay"] for cell in chosen], axis=0).astype(float)
        shown = figure.add_subplot(grid[place])
        shown.imshow(np.log1p(lay), cmap="Greys", vmin=0.0)
        shown.set(xticks=[], yticks=[], title=ARMS[arm].split(":")[0])
    return figure


def _name_worlds(axes: Axes, cell: Cell) -> None:
    still, moving = cell.series["starts"]
    axes.axvline(moving, color=INK, linewidth=0.8, linestyle="--")
    ends = ((still, "digits lie still"), (moving, "digits move"))
    for start, name in ends:
        axes.annotate(name, (start, 1.0), xycoords=("data", "axes fraction"), xytext=(4, 4), textcoords="offset points")
    axes.set_xlim(still, cell.series["batches"][-1])


def _settings(config: Figure5BConfig) -> dict[str, Any]:
    """Whatever a result depends on: the folder of the images and other arms' seeds do not matter."""
    return to_json(replace(config, data=None, seeds={}))
