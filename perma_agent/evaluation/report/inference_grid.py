"""Figure: which environments many learners inferred, a row a seed, below the truth they were never told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from perma_agent.evaluation.history import SURPRISED, World
from perma_agent.evaluation.report.style import INK, MUTED, environment_colour, mark_switches, new_figure, styled
from perma_agent.evaluation.report.truth import draw_truth

ROW = 0.17
"""Inches of a seed's row."""
RIGHT, WRONG = "✓", "✗"


@dataclass(frozen=True, kw_only=True)
class InferredLives:
    """What the learners of several seeds made of the same sequence of worlds."""

    worlds: Sequence[World]
    """The truth, first world first."""
    seeds: Sequence[int]
    """Of each row."""
    environments: np.ndarray
    """s inferred at batches 1 to K, whole numbers, shape `[seeds, K]`; `SURPRISED` where none was."""
    right: Sequence[bool]
    """Whether the seed's inference counts as right."""

    def __post_init__(self) -> None:
        if self.environments.ndim != 2 or not self.environments.size:
            raise ValueError(f"expected environments of shape [seeds, K], got {self.environments.shape}")
        if not len(self.environments) == len(self.seeds) == len(self.right):
            raise ValueError(
                f"expected environments and a verdict for each of {len(self.seeds)} seeds, "
                f"got {len(self.environments)} and {len(self.right)}"
            )


@styled
def inference_grid(lives: Mapping[str, InferredLives]) -> Figure:
    """The environment that each batch was given to, a bar a seed; one panel for each sequence of worlds.

    What to see: a right row changes its colour at the dashed lines and nowhere else, has a new colour for each new
    world and, where a world returns, the colour it had before. Grey is surprise: batches given to no environment, right
    only in short strokes just behind a switch. The mark at the end says whether the row counts as right; which colour
    comes first says nothing.

    Args:
        lives: by name of the sequence.

    Raises:
        ValueError: there are none.
    """
    if not lives:
        raise ValueError("expected the lives of at least one sequence, got none")
    heights = [part for one in lives.values() for part in (0.22, ROW * max(len(one.seeds), 2))]
    figure = new_figure(9.0, 0.4 + sum(heights) + 0.85 * len(lives))
    panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for truth, axes, (name, one) in zip(panels[::2], panels[1::2], lives.items(), strict=True):
        last = one.environments.shape[1]
        draw_truth(truth, one.worlds, last=last)
        truth.set_title(f"{name}: {sum(map(bool, one.right))} of {len(one.right)} right")
        _draw_seeds(axes, one)
        for part in (truth, axes):
            part.set_xlim(0.5, last + 0.5)
        axes.set_xlabel("batch")
    met = sorted({int(s) for one in lives.values() for s in np.unique(one.environments)} - {SURPRISED})
    handles = [Patch(color=environment_colour(s), label=f"environment {s}") for s in met]
    handles.append(Patch(color=MUTED, label="surprised"))
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))
    return figure


def _draw_seeds(axes: Axes, lives: InferredLives) -> None:
    for row, environments in enumerate(lives.environments):
        met, counts = np.unique(environments, return_counts=True)
        often_first = met[np.lexsort((-counts, met == SURPRISED))]  # so that what is short is drawn on top
        for environment in often_first:
            colour = MUTED if environment == SURPRISED else environment_colour(int(environment))
            bars = [(begin + 0.5, end - begin) for begin, end in _runs(environments == environment)]
            axes.broken_barh(bars, (row - 0.38, 0.76), color=colour, linewidth=0.3, zorder=4)
        verdict = RIGHT if lives.right[row] else WRONG
        weight = "normal" if lives.right[row] else "bold"
        axes.text(
            1.006, row, verdict, transform=axes.get_yaxis_transform(), va="center", weight=weight, color=INK, fontsize=8
        )
    mark_switches(axes, lives.worlds)
    axes.set_yticks(range(len(lives.seeds)), [f"seed {seed}" for seed in lives.seeds], fontsize=7)
    axes.set_ylim(len(lives.seeds) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _runs(held: np.ndarray) -> list[tuple[int, int]]:
    """Stretches where a condition holds: first index, and index after the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
