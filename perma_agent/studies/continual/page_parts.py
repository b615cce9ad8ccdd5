"""What the study's page is put together from: figures with the words below them, and tables of means over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.atomic_write import atomic_file
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Picture, Table, Text, png
from perma_agent.evaluation.report.blocks import Block
from perma_agent.evaluation.statistics import Estimate
from perma_agent.studies.continual.config import ENTANGLED
from perma_agent.studies.continual.rows import interval, seeds_of

NAMES: Mapping[str, str] = {"none": "none (CCI-VAE)", "none-entangled": "none entangled (VAE)", "sd-encoder": "SD-[41]"}
"""Of arms in tables and legends, where it is not their letters."""


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


def arm_name(arm: str) -> str:
    """An arm for readers: its letters in capitals, e.g. `SDA entangled`."""
    if arm in NAMES:
        return NAMES[arm]
    letters = arm.removesuffix(ENTANGLED)
    return NAMES.get(letters, letters.upper()) + (" entangled" if arm.endswith(ENTANGLED) else "")


def of_arm(cells: Sequence[Cell], arm: str) -> list[Cell]:
    """The cells of an arm in the order of their seeds."""
    return sorted((cell for cell in cells if cell.arm == arm), key=lambda cell: cell.seed)


def seeds_in_words(cells: Sequence[Cell]) -> str:
    """E.g. `0`, `0 to 9` or `0, 2`."""
    seeds = sorted({cell.seed for cell in cells})
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def estimate_text(values: np.ndarray | Estimate) -> str:
    """Mean over seeds with its 95% interval, e.g. `-2.10 (-2.60 to -1.70)`; `–` where there are no seeds."""
    if isinstance(values, np.ndarray):
        if not len(values):
            return "–"
        values = interval(values)
    spread = f" ({values.low:.2f} to {values.high:.2f})" if values.n > 1 else ""
    return f"{values.value:.2f}{spread}"


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
    if all(text == "–" for _, *texts in shown for text in texts):
        return None
    return Table(header=("", *columns), rows=shown, caption=f"{caption} Means over seeds with 95% intervals.")


def notes(cells: Sequence[Cell], key: str) -> list[Text]:
    """Why some cells have nothing to draw under a key of their series, in a sentence."""
    found = [f"seed {cell.seed}: {cell.series[key]['note']}" for cell in cells if "note" in cell.series.get(key, {})]
    return [Text(text=f"Nothing to show of {cells[0].arm} for {'; '.join(found)}.")] if found else []


def first_with_sheet(cells: Sequence[Cell], key: str) -> Cell | None:
    """The cell of the smallest seed that has something to draw under a key of its series."""
    return next((cell for cell in cells if "sheet" in cell.series.get(key, {})), None)


def _value(cells: Sequence[Cell], arm: str, figure: str | None) -> str:
    return "–" if figure is None else estimate_text(seeds_of(cells, arm, figure))
