"""Running the part `sample-efficiency`: players, codes, then the arms that look through them."""

from __future__ import annotations

from pathlib import Path

from perma_agent.studies.cell_processes import measure_in_processes
from perma_agent.studies.cell_runs import is_missing, run_cells
from perma_agent.studies.demo import ProgressBar
from perma_agent.studies.planned_cell import PlannedCell
from perma_agent.studies.transfer.sample_efficiency.config import SampleEfficiency
from perma_agent.studies.transfer.sample_efficiency.planning import (
    PART,
    codes_needed,
    plan_arms,
    plan_codes,
    plan_players,
)
from perma_agent.studies.transfer.sample_efficiency.pretraining import is_pretrained


def plan(config: SampleEfficiency, folder: Path) -> list[PlannedCell]:
    """All cells, in the order in which they are begun."""
    return [*plan_players(config), *plan_codes(config, folder), *plan_arms(config, folder)]


def run(
    study: str,
    config: SampleEfficiency,
    folder: Path,
    *,
    only: str | None,
    progress: ProgressBar,
    processes: int | None,
) -> None:
    """Measure the cells that are missing.

    Args:
        study: name of the study.
        config: how much.
        folder: of the results; codes are kept below `pretrained/`, which is not published.
        only: cells that begin with this, with or without the part's name, e.g. `forage-vase`, and the codes they look
            through; None for all.
        progress: makes the bars.
        processes: cells measured side by side; None measures in this process.

    Raises:
        RunFolderError: the folder has cells or codes of other settings.
    """
    arms = [cell for cell in plan_arms(config, folder) if is_wanted(cell, only)]
    needed = codes_needed(config, [cell for cell in arms if is_missing(folder, cell)])
    codes = {(str(cell.settings["name"]), cell.seed): cell for cell in plan_codes(config, folder)}
    wanted = [cell for key, cell in codes.items() if key in needed or is_wanted(cell, only)]
    players = [cell for cell in plan_players(config) if is_wanted(cell, only)]
    lost = [
        codes[name, seed]
        for name, seed in sorted(needed)
        if not is_missing(folder, codes[name, seed]) and not is_pretrained(folder, name, seed)
    ]
    _restore(lost, progress=progress, processes=processes)
    run_cells(study, folder, [*players, *wanted], progress=progress, processes=processes)
    run_cells(study, folder, arms, progress=progress, processes=processes)


def is_wanted(cell: PlannedCell, only: str | None) -> bool:
    """Whether a cell was asked for, by its name with or without that of the part."""
    return only is None or cell.arm.startswith(only) or cell.arm.removeprefix(f"{PART}-").startswith(only)


def _restore(cells: list[PlannedCell], *, progress: ProgressBar, processes: int | None) -> None:
    """Make codes again whose cells are there but which themselves are not, as in a copy of what was published."""
    if not cells:
        return
    with progress("codes again", total=round(sum(cell.work for cell in cells))) as advance:
        if processes is None:
            for cell in cells:
                cell.measure(advance)
        else:
            for _ in measure_in_processes(cells, processes=processes, advance=advance):
                pass
