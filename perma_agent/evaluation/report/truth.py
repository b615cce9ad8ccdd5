"""The truth above a figure: which world the batches came from, as a strip of named stretches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from perma_agent.evaluation.history import World
from perma_agent.evaluation.report.style import mark_switches

LIGHTEST, DARKEST = 0.90, 0.68
"""Greys of the first and of the last world; a world that returns has its grey again."""


def stretches(worlds: Sequence[World], *, last: int) -> list[tuple[World, int]]:
    """Each world with the last batch that came from it.

    Args:
        worlds: the truth, first world first.
        last: number of the last batch of all.

    Raises:
        ValueError: no worlds, or not in the order of their starts.
    """
    starts = [world.start for world in worlds]
    if not starts or sorted(set(starts)) != starts or starts[-1] > last:
        raise ValueError(f"expected worlds that start one after the other within {last} batches, got {list(worlds)}")
    return list(zip(worlds, [*(start - 1 for start in starts[1:]), last], strict=True))


def draw_truth(axes: Axes, worlds: Sequence[World], *, last: int, label: str = "truth") -> None:
    """Fill an axes with one grey stretch a world, its name within.

    Args:
        axes: low and wide, its x axis in batches.
        worlds: the truth, first world first.
        last: number of the last batch of all.
        label: written left of the strip.

    Raises:
        ValueError: as `stretches`.
    """
    names = list(dict.fromkeys(world.name for world in worlds))
    shades = np.linspace(LIGHTEST, DARKEST, len(names))
    for world, end in stretches(worlds, last=last):
        shade = str(shades[names.index(world.name)])
        axes.axvspan(world.start - 0.5, end + 0.5, color=shade, linewidth=0)
        axes.text((world.start + end) / 2, 0.5, world.name, ha="center", va="center", fontsize=8, clip_on=True)
    mark_switches(axes, worlds)
    axes.set(yticks=[], ylim=(0, 1))
    axes.set_ylabel(label, rotation=0, ha="right", va="center")
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False)
    axes.grid(visible=False)
