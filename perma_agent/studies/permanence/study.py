"""The study `permanence`: weights are chosen, arms are run with them, and a summary is made of it all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perma_agent.evaluation.cells import read_cells
from perma_agent.evaluation.results import Summary
from perma_agent.studies.cell_runs import cells_so_far, is_missing, run_cells, summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.permanence.grounds import Rollouts
from perma_agent.studies.permanence.metrics_cost import plan_metrics
from perma_agent.studies.permanence.page import write_figures
from perma_agent.studies.permanence.planning import ROLLOUTS, TUNING, plan_arms, plan_tuning, weights_of
from perma_agent.studies.permanence.presets import PermanenceStudy
from perma_agent.studies.permanence.rows import rows_of
from perma_agent.studies.permanence.vase import plan_vase
from perma_agent.studies.planned_cell import PlannedCell

STUDY = "permanence"


def run(config: PermanenceStudy, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress) -> None:
    """Try the weights that were not tried yet, then run every arm with the one chosen for it.

    Args:
        config: how much.
        folder: of the results; recordings are kept below `rollouts/`, which is not published.
        only: cells that begin with this, e.g. `sprites` or `sprites-l1`, and those their weights are chosen by; None
            for all.
        progress: makes the bar.

    Raises:
        RunFolderError: the folder has cells of other settings.
    """
    tuning = [cell for cell in plan_tuning(config, folder) if _wanted(cell, only)]
    _run(config, folder, tuning, progress=progress)
    chosen = [cell for cell in _reported(config, folder) if only is None or cell.arm.startswith(only)]
    _run(config, folder, sorted(chosen, key=lambda cell: cell.seed), progress=progress)


def plan(config: PermanenceStudy, folder: Path = Path()) -> list[PlannedCell]:
    """The cells that are known by now: those that weights are chosen by, and all that need no weight or have theirs."""
    return [*plan_tuning(config, folder), *_reported(config, folder)]


def _reported(config: PermanenceStudy, folder: Path) -> list[PlannedCell]:
    lives = [] if config.vase is None else plan_vase(config.vase, preset=config.preset, data=config.data)
    arms = plan_arms(config, folder, weights_of(config, cells_so_far(folder)))
    return [*arms, *lives, *plan_metrics(config.timed, preset=config.preset)]


def summarise(folder: Path) -> Summary:
    """Write `summary.json`, the figures, `tables.md` and `report.html` from the cells.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets.
    """
    summary = summarise_cells(STUDY, folder, command=f"perma-agent study {STUDY}", rows=rows_of)
    write_figures(read_cells(folder), summary, folder)
    return summary


def _run(config: PermanenceStudy, folder: Path, cells: Sequence[PlannedCell], *, progress: ProgressBar) -> None:
    """Record what cells that are missing learn from, so that processes only read it, and run them."""
    for name, comparison in config.comparisons.items():
        ground = comparison.ground
        if isinstance(ground, Rollouts) and any(
            cell.arm.startswith(f"{name}-") and is_missing(folder, cell) for cell in cells
        ):
            ground.record(folder / ROLLOUTS / name)
    run_cells(STUDY, folder, cells, progress=progress, processes=config.processes)


def _wanted(cell: PlannedCell, only: str | None) -> bool:
    """Whether a tuning cell is asked for, by its own name or by that of the arm whose weight it helps to choose."""
    return only is None or cell.arm.startswith(only) or cell.arm.replace(f"-{TUNING}-", "-").startswith(only)
