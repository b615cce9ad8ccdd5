"""Running a study cell by cell: what is there already is kept, the rest is measured, and a summary drawn from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.cells import Cell, finished_cell, read_cells, write_cell
from perma_agent.evaluation.results import Row, Summary, write_summary
from perma_agent.studies.cell_processes import measure_in_processes
from perma_agent.studies.demo import ProgressBar
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell

__all__ = ["Advance", "Measured", "PlannedCell", "cells_so_far", "is_missing", "run_cells", "summarise_cells"]


def run_cells(
    study: str, folder: Path, plan: Sequence[PlannedCell], *, progress: ProgressBar, processes: int | None = None
) -> None:
    """Measure the cells of a plan that are not there yet; each is written as soon as it is measured.

    Args:
        study: its name.
        folder: of its results; cells go below `cells/`.
        plan: all cells, in the order in which they are begun.
        progress: makes the bar.
        processes: measure as many cells at once, each in a process of its own with one thread, so that a cell's numbers
            do not depend on how many there are (their `measure` must be picklable); None measures one after the other
            in this process.

    Raises:
        RunFolderError: a cell is there that was run with other settings.
        PermaAgentError: a process died.
    """
    missing = [cell for cell in plan if is_missing(folder, cell)]
    if not missing:
        return
    with progress(study, total=round(sum(cell.work for cell in missing))) as advance:
        if processes is not None:
            for cell, measured, seconds in measure_in_processes(missing, processes=processes, advance=advance):
                _write(study, folder, cell, measured, seconds=seconds)
            return
        for cell in missing:
            began = time.perf_counter()
            measured = cell.measure(advance)
            _write(study, folder, cell, measured, seconds=time.perf_counter() - began)


def _write(study: str, folder: Path, cell: PlannedCell, measured: Measured, *, seconds: float) -> None:
    made = Cell(
        study=study,
        arm=cell.arm,
        seed=cell.seed,
        settings=cell.settings,
        figures=measured.figures,
        series=measured.series,
        seconds=seconds,
    )
    write_cell(folder, made)


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


def cells_so_far(folder: Path) -> tuple[Cell, ...]:
    """The cells there are, none in a folder without any.

    Raises:
        RunFolderError: one is damaged.
    """
    return read_cells(folder) if any((folder / "cells").glob("*.json")) else ()


def is_missing(folder: Path, cell: PlannedCell) -> bool:
    """Whether a planned cell must still be measured.

    Raises:
        RunFolderError: it is there, but was run with other settings.
    """
    return finished_cell(folder, arm=cell.arm, seed=cell.seed, settings=cell.settings) is None
