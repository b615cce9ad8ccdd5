"""Figure: steps a second of each level alone, and of copies side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report.style import ARMS, INK, new_figure, styled

ALONE = {"bare": "bare", "wrapped": "Monitor, ObserveFrames", "recorded": "recorded"}
TOGETHER = {
    "dummy": "DummyVecEnv",
    "recorded": "DummyVecEnv, recorded",
    "subproc": "SubprocVecEnv",
    "tolerant": "TolerantVecEnv",
}


@styled
def throughput_figure(cells: Sequence[Cell]) -> Figure:
    """Steps a second: medians over interleaved rounds, with the quartiles as whiskers.

    What to see: on the left, no bar far below the dashed mark, which is MiniWorld's own FourRooms timed in turn with
    the bars it stands over, and little lost from bare to recorded; on the right, the line that is highest.

    Args:
        cells: of the study `throughput`; what has not been run is left out.
    """
    alone = [cell for cell in cells if cell.arm.startswith("alone-")]
    together = sorted((cell for cell in cells if cell.arm.startswith("copies-")), key=lambda c: c.settings["copies"])
    figure = new_figure(9.5, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    if alone:
        _draw_alone(left, alone)
    if together:
        _draw_together(right, together)
    return figure


def _draw_alone(axes: Axes, cells: Sequence[Cell]) -> None:
    for position, (stack, label) in enumerate(ALONE.items()):
        places = [place + 0.27 * (position - 1) for place in range(len(cells))]
        series = [cell.series[stack] for cell in cells]
        axes.bar(places, [float(np.median(values)) for values in series], 0.25, color=ARMS[position], label=label)
        axes.errorbar(places, *_quartiles(series), fmt="none", color=INK, linewidth=0.8)
    for place, cell in enumerate(cells):
        height = float(np.median(cell.series["original"]))
        mark = "MiniWorld's FourRooms" if place == 0 else "_"  # matplotlib leaves what begins so out of the legend
        axes.hlines(height, place - 0.42, place + 0.42, color=INK, linestyle="--", linewidth=1.2, label=mark)
    names = [cell.arm.removeprefix("alone-").replace("_", "\n") for cell in cells]
    axes.set_xticks(range(len(cells)), names)
    axes.set(title="One level", ylabel="steps a second")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.42), ncols=2)


def _draw_together(axes: Axes, cells: Sequence[Cell]) -> None:
    copies = [int(cell.settings["copies"]) for cell in cells]
    for position, (arrangement, label) in enumerate(TOGETHER.items()):
        series = [cell.series[arrangement] for cell in cells]
        axes.errorbar(copies, *_quartiles(series), color=ARMS[position], marker="o", markersize=3.5, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(copies, [str(count) for count in copies])
    axes.set_ylim(bottom=0)
    axes.set(title="Copies side by side", xlabel="copies", ylabel="steps a second, all together")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.55), ncols=2)


def _quartiles(series: Sequence[Sequence[float]]) -> tuple[list[float], list[list[float]]]:
    """Medians, and how far the quartiles are below and above them."""
    low, middle, high = np.quantile(np.array(series).reshape(len(series), -1), [0.25, 0.5, 0.75], axis=1)
    return middle.tolist(), [(middle - low).tolist(), (high - middle).tolist()]
