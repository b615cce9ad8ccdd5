"""The study `continual`: which cells there are, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from perma_agent.continual.config_json import to_json
from perma_agent.data.image_sequences import WORLDS, image_world
from perma_agent.evaluation.cells import Cell, read_cells
from perma_agent.evaluation.results import Summary
from perma_agent.studies.cell_runs import is_missing, run_cells, summarise_cells
from perma_agent.studies.continual.config import LifeConfig
from perma_agent.studies.continual.factor_split import plan_factor_split
from perma_agent.studies.continual.folder_lives import plan_folders
from perma_agent.studies.continual.life import life_folder
from perma_agent.studies.continual.lives import measure_life
from perma_agent.studies.continual.looks import LOOKS, look_at
from perma_agent.studies.continual.page import write_figures
from perma_agent.studies.continual.presets import ContinualConfig
from perma_agent.studies.continual.rows import rows_of
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.planned_cell import PlannedCell

STUDY = "continual"


def run(config: ContinualConfig, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress) -> None:
    """Live the lives that are missing, then look at what they left.

    Args:
        config: how much.
        folder: of the results; the learners are kept below `lives/`, which is not published.
        only: arms that begin with this, e.g. `three-sda`; None for all.
        progress: makes the bar.

    Raises:
        DataError: the images cannot be had, or a folder has no pictures.
        RunFolderError: the folder has cells of other settings.
    """
    cells = [cell for cell in plan(config, folder) if only is None or cell.arm.startswith(only)]
    drawn = [
        cell.settings["sequence"]["worlds"]
        for cell in cells
        if "sequence" in cell.settings and is_missing(folder, cell)
    ]
    for name in sorted({name for worlds in drawn for name in worlds if name in WORLDS}):
        image_world(name, canvas=32, data=config.data)  # says at once, and once, what is missing
    lives = [cell for cell in cells if "life" not in cell.settings]
    looks = [cell for cell in cells if "life" in cell.settings]
    for part in (lives, looks):  # a look needs its life
        run_cells(STUDY, folder, part, progress=progress, processes=config.processes)


def plan(config: ContinualConfig, folder: Path = Path()) -> list[PlannedCell]:
    """All cells: first seed 0 of each arm, then seed 1, so that a study cut short has something of everything.

    Raises:
        DataError: a folder of pictures is missing or has too few.
    """
    lives = {
        (arm, seed): replace(config.lives[arm.split("-")[0]], arm=arm.partition("-")[2])
        for arm, seeds in config.seeds.items()
        for seed in seeds
    }
    cells = [
        PlannedCell(
            arm=arm,
            seed=seed,
            settings=_settings(config, life),
            work=float(sum(life.sequence.steps)),
            measure=partial(measure_life, life, seed, config.data, life_folder(folder, arm=arm, seed=seed)),
        )
        for (arm, seed), life in lives.items()
    ]
    looks = [
        PlannedCell(
            arm=arm,
            seed=seed,
            settings={**_settings(config, life), "life": look.life},
            work=1.0,
            measure=partial(
                look_at, look.analyse, life, seed, config.data, life_folder(folder, arm=look.life, seed=seed)
            ),
        )
        for arm, look in LOOKS.items()
        for seed in config.looked_at
        if (life := lives.get((look.life, seed))) is not None
    ]
    factors = [] if config.factors is None else plan_factor_split(config.factors)
    folder_lives, folder_looks = plan_folders(config, folder)
    return [*sorted([*cells, *factors, *folder_lives], key=lambda cell: cell.seed), *looks, *folder_looks]


def summarise(folder: Path) -> Summary:
    """Write `summary.json`, the figures and `report.html` from the cells.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets.
    """
    summary = summarise_cells(STUDY, folder, command=f"perma-agent study {STUDY}", rows=rows_of)
    cells: Sequence[Cell] = read_cells(folder)
    write_figures(cells, summary, folder)
    return summary


def _settings(config: ContinualConfig, life: LifeConfig) -> dict[str, Any]:
    return {"preset": config.preset, **to_json(life)}
