"""Figure: how much each latent tells of each world throughout a life, and how many latents are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.history import World
from perma_agent.evaluation.report.seed_lines import arm_colours
from perma_agent.evaluation.report.style import INK, MUTED, mark_switches, new_figure, styled
from perma_agent.evaluation.report.truth import draw_truth

THRESHOLD = 0.1
"""Nats from which on a latent counts as used."""
ROW = 0.125
"""Inches of a latent's row."""


@styled
def latent_use(
    information: Mapping[str, np.ndarray],
    *,
    steps: np.ndarray,
    worlds: Sequence[World],
    threshold: float = THRESHOLD,
) -> Figure:
    """Use of each latent by each world at each examination as heat maps, and below them the number of latents in use.

    What to see: dark rows are latents that tell much of the world named above the map. A row dark in several maps is
    shared by these worlds, a row dark in one map is that world's own. After a switch (dashed) the maps of the earlier
    worlds should keep their dark rows, and the lines below should grow by few latents; what is not in use is spare for
    worlds to come. The order of the rows, most used at the end of life first, is the same in all maps.

    Args:
        information: nats of each latent at each examination, by world whose frames were looked at, shape `[K, D]`.
        steps: batches seen until each examination, shape `[K]`, increasing; a map's column reaches back to the one
            before.
        worlds: the truth, first world first.
        threshold: nats above which a latent counts as used; latents that never are, in no world, have no row.

    Raises:
        ValueError: no worlds, or arrays that do not fit together.
    """
    use = _checked(information, steps)
    everywhere = np.stack(list(use.values()))
    last = int(steps[-1])
    ever: np.ndarray = np.any(everywhere > threshold, axis=(0, 1))
    order = np.argsort(-everywhere[:, -1].max(axis=0), kind="stable")
    order = order[ever[order]] if ever.any() else order[:1]
    height = max(ROW * len(order), 0.6)
    figure = new_figure(9.0, 0.9 + (height + 0.3) * len(use) + 1.5)
    rows = [0.26, *[height] * len(use), 1.2]
    truth, *maps, counts = figure.subplots(len(rows), 1, sharex=True, height_ratios=rows)
    draw_truth(truth, worlds, last=last)
    colours = Normalize(0, max(float(everywhere.max()), threshold))
    for axes, (world, values) in zip(maps, use.items(), strict=True):
        mesh = _draw_map(axes, values[:, order], steps=steps, scale=colours)
        axes.set_title(f"use by {world}")
        axes.set_yticks(range(len(order)), [f"z{latent}" for latent in order], fontsize=6.5)
        mark_switches(axes, worlds)
    figure.colorbar(mesh, ax=maps, pad=0.01, aspect=40, label="use (nats)")
    _draw_counts(counts, use, steps=steps, threshold=threshold)
    mark_switches(counts, worlds)
    unused = everywhere.shape[-1] - int(ever.sum())
    if unused:
        text = f"never above {threshold:g} nats and not shown: {unused} of {len(ever)} latents"
        maps[-1].set_xlabel(text, color=MUTED, fontsize=8)
    counts.set_xlabel("batch")
    counts.set_xlim(0.5, last + 0.5)
    return figure


def _draw_map(axes: Axes, values: np.ndarray, *, steps: np.ndarray, scale: Normalize) -> QuadMesh:
    edges = np.concatenate([[0.5], steps + 0.5])
    rows = np.arange(values.shape[1] + 1) - 0.5
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=False)
    mesh = axes.pcolormesh(edges, rows, values.T, cmap=colormaps["BuPu"], norm=scale)
    axes.invert_yaxis()
    return mesh


def _draw_counts(axes: Axes, use: Mapping[str, np.ndarray], *, steps: np.ndarray, threshold: float) -> None:
    used = {world: values > threshold for world, values in use.items()}
    for (world, colour), those in zip(arm_colours(used).items(), used.values(), strict=True):
        axes.plot(steps, those.sum(axis=1), color=colour, label=world)
    anywhere = np.logical_or.reduce(list(used.values()))
    axes.plot(steps, anywhere.sum(axis=1), color=INK, linestyle=":", label="any world")
    axes.set_title(f"latents above {threshold:g} nats")
    axes.set_ylabel("number of latents")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.05), borderaxespad=0)


def _checked(information: Mapping[str, np.ndarray], steps: np.ndarray) -> dict[str, np.ndarray]:
    use = {world: np.asarray(values, dtype=np.float64) for world, values in information.items()}
    shapes = {world: values.shape for world, values in use.items()}
    if (
        not use
        or len(set(shapes.values())) != 1
        or not all(len(s) == 2 and s[0] == len(steps) for s in shapes.values())
    ):
        raise ValueError(
            f"expected use of shape [{len(steps)}, D] in at least one world and D alike in all of them, got {shapes}"
        )
    if not len(steps) or (np.diff(steps) <= 0).any():
        raise ValueError(f"expected increasing steps, at least one, got {np.asarray(steps).tolist()}")
    return use
