"""Figure: traversals of the same latents in several worlds side by side, with the use that each world makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import FAINT, INK, MUTED, environment_colour, styled

ROWS = 12
"""Latents shown, the most telling first."""
LEFT, BARS = 1.75, 1.25
"""Inches left of the frames, and how many of them the bars take."""


@dataclass(frozen=True, kw_only=True)
class WorldTraversals:
    """Traversals of all latents, seeded with one frame of a world."""

    world: str
    """Its name."""
    environment: int
    """s that they were decoded as."""
    frames: np.ndarray
    """uint8, shape `[D, K, C, H, W]`, as `latent_traversals` draws them."""
    information: np.ndarray
    """Nats of each latent in this world, shape `[D]`."""


@styled
def traversal_grid(traversals: Sequence[WorldTraversals], *, values: Sequence[float], rows: int = ROWS) -> Figure:
    """One latent a row, one world a block of columns, a latent's value rising from left to right within a block.

    What to see: the bars left of a row say how many nats each world spends on the latent, in the order and the colours
    of the blocks. A latent shared by two worlds has two long bars, and its row should change the same thing (a place,
    say) in both blocks; a latent of one world's own has one long bar, and nothing happens in the other blocks.

    Args:
        traversals: of each world; all of the same latents, values and size of frames.
        values: the K values.
        rows: how many latents to show, those first of which any world uses most.

    Raises:
        FrameError: what are no frames.
        ValueError: no worlds, or worlds that do not fit together.
    """
    latents = {len(part) for one in traversals for part in (one.frames, one.information)}
    columns = {one.frames.shape[1] for one in traversals}
    if len(latents) != 1 or columns != {len(values)}:
        raise ValueError(
            f"expected frames of the same latents at {len(values)} values in each world, got "
            f"{[(one.world, one.frames.shape[:2], len(one.information)) for one in traversals]}"
        )
    use = np.stack([one.information for one in traversals])
    order = np.argsort(-use.max(axis=0), kind="stable")[:rows]
    sheet = Sheet([one.frames[order] for one in traversals], left=LEFT, top=0.55)
    for block, one in enumerate(traversals):
        sheet.title(block, one.world, colour=environment_colour(one.environment))
        sheet.name_columns(block, [f"{value:+.1f}" if value else "0" for value in values])
    _draw_bars(_axes_left_of(sheet), use[:, order], traversals, names=[f"z{latent}" for latent in order])
    return sheet.figure


def _axes_left_of(sheet: Sheet) -> Axes:
    inches = sheet.figure.get_size_inches()[0]
    place = sheet.axes[0].get_position()
    return sheet.figure.add_axes((place.x0 - (BARS + 0.12) / inches, place.y0, BARS / inches, place.height))


def _draw_bars(axes: Axes, use: np.ndarray, traversals: Sequence[WorldTraversals], *, names: Sequence[str]) -> None:
    """Within each row of the sheet, a slot a world: its name and nats, and a bar below them."""
    slot = 0.9 / len(traversals)
    rows = np.arange(len(names))
    for place, one in enumerate(traversals):
        top = rows - 0.45 + place * slot
        colour = environment_colour(one.environment)
        axes.barh(top + 0.8 * slot, use[place], height=0.26 * slot, color=colour, label=one.world)
        for y, nats in zip(top + 0.36 * slot, use[place], strict=True):
            axes.text(0, y, f"{one.world}  {nats:.1f}", va="center", fontsize=6, color=INK if nats >= 0.1 else MUTED)
    axes.hlines(rows[:-1] + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, linewidth=0.8)
    axes.set_xlim(0, max(float(use.max()), 0.1))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(rows, names)
    axes.set_xticks([])
    axes.set_title("use (nats)", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
