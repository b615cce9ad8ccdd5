"""Figure: traversals of the latents that several codes use, a block of frames a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.report.frame_sheets import GAP, tiled
from perma_agent.evaluation.report.style import DPI, INK, MUTED, new_figure, styled
from perma_agent.types import check_frames

ROWS = 8
"""Most latents shown of a code."""
PIXELS = 68
"""A frame is enlarged by the greatest whole number that keeps it and its gap within these pixels, at least 1."""
ACROSS = 2
"""Blocks side by side."""
TOP, BELOW = 0.45, 0.15
"""Inches for a block's title, and between it and the next."""
LETTER = 0.058
"""Inches left of the frames for each letter of the longest name."""


@dataclass(frozen=True, kw_only=True)
class CodeTraversals:
    """Traversals of the latents of one code, those shown first that tell most."""

    title: str
    """Of the code."""
    frames: np.ndarray
    """uint8, shape `[R, K, C, H, W]`: R latents at K values."""
    names: Sequence[str]
    """Of the R rows, e.g. `z3 hue .92`."""
    note: str = ""
    """Beside the title, e.g. how many latents are not shown."""

    def __post_init__(self) -> None:
        if self.frames.ndim != 5 or not self.frames.size or len(self.names) != len(self.frames):
            raise ValueError(
                f"expected frames [R, K, C, H, W] and R names, got {self.frames.shape} and {len(self.names)}"
            )
        check_frames(self.frames[0], ndim=4)


@styled
def arm_traversals(codes: Sequence[CodeTraversals], *, values: Sequence[float]) -> Figure:
    """One block of frames a code, one latent a row, its value rising from left to right.

    What to see: in a disentangled code one thing changes along a row, and another one in each row.

    Args:
        codes: of each arm, all with frames of one size; of each at most `ROWS` rows are shown.
        values: the K values.

    Raises:
        ValueError: no codes, or frames that do not fit together.
    """
    sizes = {(one.frames.shape[1], *one.frames.shape[3:]) for one in codes}
    if len(sizes) != 1 or next(iter(sizes))[0] != len(values):
        raise ValueError(f"expected frames of one size at {len(values)} values, got {sorted(sizes)}")
    _, height, width = next(iter(sizes))
    scale = max(1, PIXELS // (max(height, width) + GAP))
    cell = ((height + GAP) * scale / DPI, (width + GAP) * scale / DPI)
    lines = [list(codes[start : start + ACROSS]) for start in range(0, len(codes), ACROSS)]
    deep = [max(min(len(one.frames), ROWS) for one in line) * cell[0] for line in lines]
    left = 0.2 + LETTER * max(len(name) for one in codes for name in one.names)
    broad = left + len(values) * cell[1]
    total = (broad * min(ACROSS, len(codes)) + 0.1, sum(deep) + len(lines) * (TOP + BELOW))
    figure = new_figure(*(round(side * DPI) / DPI for side in total), layout=None)
    top = total[1]
    for line, depth in zip(lines, deep, strict=True):
        top -= TOP
        for place, one in enumerate(line):
            _draw(figure, one, left=place * broad + left, top=top, cell=cell, values=values)
        top -= depth + BELOW
    return figure


def _draw(
    figure: Figure,
    one: CodeTraversals,
    *,
    left: float,
    top: float,
    cell: tuple[float, float],
    values: Sequence[float],
) -> None:
    """A block whose upper left corner is so many inches from the figure's left and lower side."""
    frames, (width, height) = one.frames[:ROWS], figure.get_size_inches()
    deep, broad = len(frames) * cell[0], len(values) * cell[1]
    pixels = 1 / DPI
    left, bottom = round(left / pixels) * pixels, round((top - deep) / pixels) * pixels
    axes = figure.add_axes((left / width, bottom / height, broad / width, deep / height))
    axes.imshow(tiled(frames), interpolation="nearest", aspect="auto")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, pad=1)
    rows, columns = ((np.arange(count) + 0.5) * (side + GAP) - 0.5 for count, side in _sides(frames))
    axes.set_yticks(rows, list(one.names)[: len(frames)], fontsize=7)
    axes.set_xticks(columns, [f"{value:+.1f}" if value else "0" for value in values], fontsize=6.5, color=MUTED)
    figure.text(left / width, (top + 0.2) / height, one.title, fontsize=10, weight="bold", color=INK)
    figure.text((left + broad) / width, (top + 0.2) / height, one.note, fontsize=7, ha="right", color=MUTED)


def _sides(frames: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
    return (frames.shape[0], frames.shape[3]), (frames.shape[1], frames.shape[4])
