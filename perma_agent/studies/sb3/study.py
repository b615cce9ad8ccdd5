"""The study `sb3`: its cells are measured, each once, and a summary is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perma_agent.evaluation.cells import read_cells
from perma_agent.evaluation.results import Summary
from perma_agent.studies.cell_runs import is_missing, run_cells, summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.planned_cell import PlannedCell
from perma_agent.studies.sb3.config import SB3Study
from perma_agent.studies.sb3.page import write_figures
from perma_agent.studies.sb3.planning import RESUME, SPEED, SWITCH, plan_resume, plan_speed, plan_switch
from perma_agent.studies.sb3.pretrained import make_vase
from perma_agent.studies.sb3.rows import rows_of

STUDY = "sb3"


def run(config: SB3Study, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress) -> None:
    """Measure the cells that are missing: what is timed first and alone, then what is killed, then the switch.

    The machine should do nothing else while agents are timed.

    Args:
        config: how much.
        folder: of the results; the VASE that agents begin with is kept below `pretrained/`, which is not published.
        only: cells that begin with this: `speed`, `resume`, `switch` or `switch-continual`; None for all.
        progress: makes the bars.

    Raises:
        LevelError: a level cannot be made.
        RunFolderError: the folder has cells, or a VASE, of other settings.
        PermaAgentError: a process died.
    """
    cells = [cell for cell in plan(config, folder) if only is None or cell.arm.startswith(only)]
    if any(is_missing(folder, cell) for cell in cells if "vase" in cell.settings):
        make_vase(config.vase, folder, progress=progress)
    for part in (SPEED, RESUME):  # in this process, one after the other
        run_cells(STUDY, folder, _of(cells, part), progress=progress)
    run_cells(STUDY, folder, _of(cells, SWITCH), progress=progress, processes=config.processes)


def plan(config: SB3Study, folder: Path = Path()) -> list[PlannedCell]:
    """All cells, in the order in which they are measured."""
    return [*plan_speed(config, folder), plan_resume(config), *plan_switch(config, folder)]


def summarise(folder: Path) -> Summary:
    """Write `summary.json`, the figures, `tables.md` and `report.html` from the cells.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets.
    """
    summary = summarise_cells(STUDY, folder, command=f"perma-agent study {STUDY}", rows=rows_of)
    write_figures(read_cells(folder), summary, folder)
    return summary


def _of(cells: Sequence[PlannedCell], part: str) -> list[PlannedCell]:
    return [cell for cell in cells if cell.arm.partition("-")[0] == part]
