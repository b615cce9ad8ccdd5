"""What a study's page is put together from: figures with the words below them, and tables of means over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.atomic_write import atomic_file
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Picture, Table, png
from perma_agent.evaluation.report.blocks import Block
from perma_agent.evaluation.statistics import Estimate
from perma_agent.studies.seed_rows import interval, seeds_of

NO_VALUE = "–"
"""Stands in a table where there is nothing."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A figure that is published beside the cells and on the page."""

    name: str
    """Of its file, without `.png`."""
    figure: Figure
    """The figure."""
    alt: str
    """What it shows, for who cannot see it."""
    caption: str
    """What to see in it, and what it stands for."""
    seeds: str
    """Which seeds' cells it was made of."""

    def write(self, folder: Path) -> None:
        """Write the PNG atomically."""
        with atomic_file(folder / f"{self.name}.png") as file:
            file.write(png(self.figure))

    def picture(self, command: str) -> Picture:
        """The figure on a page."""
        return Picture(figure=self.figure, alt=self.alt, caption=self.caption, command=command, seed=self.seeds)


Part = Drawn | Block


def of_arm(cells: Sequence[Cell], arm: str) -> list[Cell]:
    """The cells of an arm in the order of their seeds."""
    return sorted((cell for cell in cells if cell.arm == arm), key=lambda cell: cell.seed)


def seeds_in_words(cells: Sequence[Cell]) -> str:
    """E.g. `0`, `0 to 9` or `0, 2`."""
    seeds = sorted({cell.seed for cell in cells})
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def estimate_text(values: np.ndarray | Estimate, *, digits: int = 2) -> str:
    """Mean over seeds with its 95% interval, e.g. `-2.10 (-2.60 to -1.70)`; `–` where there are no seeds."""
    if isinstance(values, np.ndarray):
        if not len(values):
            return NO_VALUE
        values = interval(values)
    spread = f" ({values.low:.{digits}f} to {values.high:.{digits}f})" if values.n > 1 else ""
    return f"{values.value:.{digits}f}{spread}"


def means_table(
    cells: Sequence[Cell],
    *,
    columns: Mapping[str, str],
    rows: Mapping[str, Sequence[str | None]],
    caption: str,
) -> Table | None:
    """Means over seeds; None where there are none at all.

    Args:
        cells: of the study.
        columns: heading of each column, and the arm whose cells it is made of.
        rows: words for each row, and the figure shown in each column; None where that column has none.
        caption: what is shown.
    """
    shown = [
        (words, *(_value(cells, arm, name) for arm, name in zip(columns.values(), names, strict=True)))
        for words, names in rows.items()
    ]
    if all(text == NO_VALUE for _, *texts in shown for text in texts):
        return None
    return Table(header=("", *columns), rows=shown, caption=f"{caption} Means over seeds with 95% intervals.")


def _value(cells: Sequence[Cell], arm: str, figure: str | None) -> str:
    return NO_VALUE if figure is None else estimate_text(seeds_of(cells, arm, figure))
