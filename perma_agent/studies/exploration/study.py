"""The study `exploration`: VASEs are pretrained, weights chosen, arms run with them, and a summary made of it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from perma_agent.evaluation.cells import cell_path, read_cells
from perma_agent.evaluation.results import Summary
from perma_agent.studies.cell_runs import cells_so_far, run_cells, summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.exploration.checks import plan_checks, plan_timing
from perma_agent.studies.exploration.config import ExplorationStudy, pretrained_folder
from perma_agent.studies.exploration.figure_5b import plan_figure_5b
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.page import write_figures
from perma_agent.studies.exploration.planning import (
    levels_seen,
    plan_places,
    plan_rooms,
    plan_runs,
    plan_tuning,
    weights_of,
)
from perma_agent.studies.exploration.rows import rows_of
from perma_agent.studies.exploration.vases import ELSEWHERE, enter, pretrain_elsewhere
from perma_agent.studies.planned_cell import PlannedCell

STUDY = "exploration"


def run(
    config: ExplorationStudy, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress
) -> None:
    """Pretrain the VASEs, try the weights that were not tried yet, then run every arm with the one chosen for it.

    Args:
        config: how much.
        folder: of the results; recordings and VASEs are kept below `pretrained/`, which is not published.
        only: cells that begin with this, e.g. `free`, `free-indoor-maze`, `sparse` or `figure-5b`, and those that their
            weights are chosen by; None for all.
        progress: makes the bar.

    Raises:
        LevelError: a level cannot be made.
        RunFolderError: the folder has cells or VASEs of other settings.
    """
    vases = pretrained_folder(folder)
    wanted = [cell for cell in plan_runs(config, vases, dict.fromkeys(config.arms, 0.0)) if _named(cell, only)]
    arms = {cell.settings["arm"] for cell in wanted}
    tuning = [cell for cell in plan_tuning(config, vases) if _named(cell, only) or cell.settings["arm"] in arms]
    timing = [cell for cell in plan_timing(config, vases) if _named(cell, only)]
    explaining = [cell for cell in (*plan_places(config, vases), *plan_rooms(config, vases)) if _named(cell, only)]
    _pretrain(config, folder, [*tuning, *wanted, *timing, *explaining], progress=progress)
    run_cells(STUDY, folder, tuning, progress=progress, processes=config.processes)
    chosen = weights_of(config, cells_so_far(folder))
    cells = [cell for cell in _reported(config, folder, chosen) if _named(cell, only)]
    run_cells(STUDY, folder, _in_turn(cells), progress=progress, processes=config.processes)
    run_cells(STUDY, folder, timing, progress=progress, processes=1)


def plan(config: ExplorationStudy, folder: Path = Path()) -> list[PlannedCell]:
    """The cells that are known by now: those that weights are chosen by, and all that need no weight or have theirs."""
    return [
        *plan_tuning(config, pretrained_folder(folder)),
        *_reported(config, folder, weights_of(config, cells_so_far(folder))),
        *plan_timing(config, pretrained_folder(folder)),
    ]


def summarise(folder: Path) -> Summary:
    """Write `summary.json`, the figures, `tables.md` and `report.html` from the cells.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets.
    """
    summary = summarise_cells(STUDY, folder, command=f"perma-agent study {STUDY}", rows=rows_of)
    write_figures(read_cells(folder), summary, folder)
    return summary


def _reported(config: ExplorationStudy, folder: Path, weights: dict[str, float]) -> list[PlannedCell]:
    drawn = None if config.figure_5b is None else replace(config.figure_5b, data=config.data)
    return [
        *plan_runs(config, pretrained_folder(folder), weights),
        *plan_checks(config),
        *plan_places(config, pretrained_folder(folder)),
        *plan_rooms(config, pretrained_folder(folder)),
        *([] if drawn is None else plan_figure_5b(drawn)),
    ]


def _pretrain(config: ExplorationStudy, folder: Path, cells: Sequence[PlannedCell], *, progress: ProgressBar) -> None:
    """Pretrain what cells that were never run will look through, so that processes only read it."""
    missing = [cell for cell in cells if not cell_path(folder, arm=cell.arm, seed=cell.seed).exists()]
    levels = sorted({level for cell in missing for level in levels_seen(cell)})
    pretrained = pretrained_folder(folder)
    for name in sorted({LEVELS[level].vase for level in levels}):
        with progress(f"VASE {name}", total=config.pretraining.updates * len(ELSEWHERE[name])) as advance:
            pretrain_elsewhere(pretrained, name, config.pretraining, advance=advance)
    for level in levels:
        enter(pretrained, level)


def _in_turn(cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """Seed after seed, so that a study that is cut short has something of every arm."""
    return sorted(cells, key=lambda cell: cell.seed)


def _named(cell: PlannedCell, only: str | None) -> bool:
    return only is None or cell.arm.startswith(only)
