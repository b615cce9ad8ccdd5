"""What pages of lives alone need: names of arms, and what is said where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Text
from perma_agent.studies.continual.config import ENTANGLED

NAMES: Mapping[str, str] = {"none": "none (CCI-VAE)", "none-entangled": "none entangled (VAE)", "sd-encoder": "SD-[41]"}
"""Of arms in tables and legends, where it is not their letters."""


def arm_name(arm: str) -> str:
    """An arm for readers: its letters in capitals, e.g. `SDA entangled`."""
    if arm in NAMES:
        return NAMES[arm]
    letters = arm.removesuffix(ENTANGLED)
    return NAMES.get(letters, letters.upper()) + (" entangled" if arm.endswith(ENTANGLED) else "")


def notes(cells: Sequence[Cell], key: str) -> list[Text]:
    """Why some cells have nothing to draw under a key of their series, in a sentence."""
    found = [f"seed {cell.seed}: {cell.series[key]['note']}" for cell in cells if "note" in cell.series.get(key, {})]
    return [Text(text=f"Nothing to show of {cells[0].arm} for {'; '.join(found)}.")] if found else []


def first_with_sheet(cells: Sequence[Cell], key: str) -> Cell | None:
    """The cell of the smallest seed that has something to draw under a key of its series."""
    return next((cell for cell in cells if "sheet" in cell.series.get(key, {})), None)
