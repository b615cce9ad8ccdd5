"""Running a study cell by cell: what is there already is kept, the rest is measured, and a summary drawn from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import Cell, finished_cell, read_cells, write_cell
from perma_agent.evaluation.results import Row, Summary, write_summary
from perma_agent.studies.demo import ProgressBar

Advance = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a cell gave."""

    figures: Mapping[str, float | None]
    """Single numbers by name."""
    series: Mapping[str, Any] = field(default_factory=dict)
    """Lists of numbers by name."""


@dataclass(frozen=True, kw_only=True)
class PlannedCell:
    """A cell that is to be there when the study is done."""

    arm: str
    """Of the cell."""
    seed: int
    """Of the cell."""
    settings: Mapping[str, Any]
    """All that its result depends on, `preset` among it; JSON values."""
    work: float
    """Its share of the progress bar, in the study's own unit."""
    measure: Callable[[Advance], Measured]
    """Makes it; calls its argument with the work done since the last call."""


def run_cells(study: str, folder: Path, plan: Sequence[PlannedCell], *, progress: ProgressBar) -> None:
    """Measure the cells of a plan that are not there yet.

    Args:
        study: its name.
        folder: of its results; cells go below `cells/`.
        plan: all cells.
        progress: makes the bar.

    Raises:
        RunFolderError: a cell is there that was run with other settings.
    """
    missing = [cell for cell in plan if _missing(folder, cell)]
    if not missing:
        return
    with progress(study, total=round(sum(cell.work for cell in missing))) as advance:
        for cell in missing:
            began = time.perf_counter()
            measured = cell.measure(advance)
            write_cell(
                folder,
                Cell(
                    study=study,
                    arm=cell.arm,
                    seed=cell.seed,
                    settings=cell.settings,
                    figures=measured.figures,
                    series=measured.series,
                    seconds=time.perf_counter() - began,
                ),
            )


def summarise_cells(study: str, folder: Path, *, command: str, rows: Callable[[Sequence[Cell]], list[Row]]) -> Summary:
    """Read a study's cells, make its rows, and write `summary.json`.

    Args:
        study: its name.
        folder: of its results.
        command: that makes them again, without the preset.
        rows: of the cells.

    Returns:
        The summary, with the machine that the cells were run on, and their commit where all have the same.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets or of another study.
    """
    cells = read_cells(folder)
    presets = {(cell.study, str(cell.settings.get("preset"))) for cell in cells}
    if len(presets) > 1 or next(iter(presets))[0] != study:
        raise RunFolderError(
            f"expected the cells of one preset of the study {study!r} in {folder}, got "
            f"{', '.join(map(' '.join, sorted(presets)))}; keep each in a folder of its own"
        )
    preset = next(iter(presets))[1]
    commits = {cell.commit for cell in cells}
    summary = Summary(
        study=study,
        preset=preset,
        command=f"{command} --preset {preset}",
        rows=tuple(rows(cells)),
        commit=commits.pop() if len(commits) == 1 else "several, see the cells",
        machine=cells[0].machine,
    )
    write_summary(summary, folder / "summary.json")
    return summary


def _missing(folder: Path, cell: PlannedCell) -> bool:
    return finished_cell(folder, arm=cell.arm, seed=cell.seed, settings=cell.settings) is None
