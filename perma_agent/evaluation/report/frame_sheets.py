"""A sheet of frames in rows and columns, every pixel of a frame drawn as a whole number of pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.report.style import DPI, INK, new_figure
from perma_agent.types import check_frames

FRAME_PIXELS = 128
"""A frame is enlarged by the greatest whole number that keeps it within these pixels, at least 1."""
GAP = 2
"""White pixels of the frame between frames, before they are enlarged."""


class Sheet:
    """A figure of blocks of frames side by side, each with a title and names of its columns; rows are named once.

    Args:
        blocks: frames of each block, uint8, shape `[R, K, C, H, W]`, R and the frames' size alike in all of them.
        left: inches for the names of the rows.
        top: inches for titles and names of the columns.
    """

    def __init__(self, blocks: Sequence[np.ndarray], *, left: float = 0.2, top: float = 0.5) -> None:
        for block in blocks:
            if block.ndim != 5 or not block.size:
                raise ValueError(f"expected frames of shape [R, K, C, H, W] and none of these 0, got {block.shape}")
            check_frames(block[0], ndim=4)
        shapes = {(len(block), *block.shape[2:]) for block in blocks}
        if len(shapes) != 1:
            raise ValueError(f"expected blocks with as many rows and frames of one size, got {sorted(shapes)}")
        self.scale = max(1, FRAME_PIXELS // max(blocks[0].shape[-2:]))
        self.cell = (blocks[0].shape[-2] + GAP, blocks[0].shape[-1] + GAP)
        canvases = [tiled(block) for block in blocks]
        inches = self.scale / DPI
        left, top, between, margin = (round(space * DPI) / DPI for space in (left, top, 0.3, 0.1))  # whole pixels
        widths = [canvas.shape[1] * inches for canvas in canvases]
        height = canvases[0].shape[0] * inches
        total = (left + sum(widths) + between * (len(blocks) - 1) + margin, top + height + margin)
        self.figure: Figure = new_figure(*total, layout=None)
        self.axes: list[Axes] = []
        x = left
        for canvas, width in zip(canvases, widths, strict=True):
            place = (x / total[0], margin / total[1], width / total[0], height / total[1])
            self.axes.append(_frame_axes(self.figure, place, canvas))
            x += width + between

    def title(self, block: int, text: str, *, colour: str = INK) -> None:
        """Write above a block."""
        self.axes[block].set_title(text, color=colour, pad=18)

    def name_columns(self, block: int, names: Sequence[str]) -> None:
        """Write above each column of a block."""
        centres = (np.arange(len(names)) + 0.5) * self.cell[1] - 0.5
        self.axes[block].set_xticks(centres, names)
        self.axes[block].tick_params(labeltop=True, labelbottom=False, pad=2)

    def name_rows(self, names: Sequence[str], *, colours: Sequence[str] | None = None) -> None:
        """Write left of each row of the first block."""
        centres = (np.arange(len(names)) + 0.5) * self.cell[0] - 0.5
        self.axes[0].set_yticks(centres, names)
        for label, colour in zip(self.axes[0].get_yticklabels(), colours or [INK] * len(names), strict=True):
            label.set_color(colour)


def _frame_axes(figure: Figure, place: tuple[float, float, float, float], canvas: np.ndarray) -> Axes:
    axes = figure.add_axes(place)
    axes.imshow(canvas, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    return axes


def tiled(frames: np.ndarray) -> np.ndarray:
    """`[R, K, C, H, W]` to one RGB image of R rows and K columns on white."""
    rows, columns, channels, height, width = frames.shape
    canvas = np.full((rows, height + GAP, columns, width + GAP, 3), 255, dtype=np.uint8)
    filled = canvas[:, GAP // 2 : GAP // 2 + height, :, GAP // 2 : GAP // 2 + width]
    filled[:] = np.broadcast_to(frames.transpose(0, 3, 1, 4, 2), (rows, height, columns, width, max(channels, 3)))
    return canvas.reshape(rows * (height + GAP), columns * (width + GAP), 3)
