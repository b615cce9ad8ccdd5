"""Cells: what one arm of a study gave with one seed, a JSON file each, so that a study goes on where it stopped."""

from __future__ import annotations

import dataclasses
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.errors import RunFolderError
from perma_agent.evaluation.atomic_write import plain, write_json
from perma_agent.evaluation.machine import Machine, describe_machine, source_commit
from perma_agent.evaluation.results import read_document

ARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


class DamagedCellWarning(UserWarning):
    """A cell's file could not be read and the cell will be run again."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one arm gave with one seed."""

    study: str
    """Name of the study."""
    arm: str
    """What was varied: letters, digits and `_ . + -`, e.g. `sda` or `none-entangled`."""
    seed: int
    """Of everything random in it, at least 0."""
    settings: Mapping[str, Any]
    """All that the result depends on besides arm and seed (preset, steps, level …); JSON values."""
    figures: Mapping[str, float | None]
    """Single numbers by name; None where one could not be had."""
    series: Mapping[str, Any] = field(default_factory=dict)
    """Numbers over time by name, such as `steps` and `return`; lists of JSON values, None where one is missing."""
    seconds: float
    """Wall-clock time it took."""
    commit: str = field(default_factory=source_commit)
    """Commit of the code that ran it."""
    machine: Machine = field(default_factory=describe_machine)
    """What it ran on."""

    def __post_init__(self) -> None:
        if not ARM.fullmatch(self.arm) or self.seed < 0:
            raise ValueError(
                f"expected an arm of letters, digits and _.+- and a seed from 0, got {self.arm!r} and {self.seed}"
            )
        if not self.seconds >= 0:
            raise ValueError(f"expected seconds of at least 0, got {self.seconds}")
        for name in ("settings", "figures", "series"):  # as they will be read back, so that equality survives the file
            object.__setattr__(self, name, plain(getattr(self, name)))


def cell_path(folder: Path | str, *, arm: str, seed: int) -> Path:
    """`cells/<arm>_<seed>.json` in the study's folder."""
    return Path(folder) / "cells" / f"{arm}_{seed}.json"


def write_cell(folder: Path | str, cell: Cell) -> Path:
    """Write a cell atomically into its place below the study's folder; returns where."""
    path = cell_path(folder, arm=cell.arm, seed=cell.seed)
    write_json(path, dataclasses.asdict(cell))
    return path


def read_cell(path: Path | str) -> Cell:
    """Read one cell.

    Raises:
        RunFolderError: it is missing, damaged, lacks a key, or lies under another cell's name.
    """
    document = read_document(path, of=Cell)
    try:
        cell = Cell(machine=Machine(**document.pop("machine")), **document)
    except (TypeError, ValueError) as error:
        raise RunFolderError(f"{path} is no cell of a study: {error}; delete it and run the study again") from error
    if Path(path).stem != f"{cell.arm}_{cell.seed}":
        raise RunFolderError(
            f"expected arm and seed as in the name of {path}, got {cell.arm!r} and {cell.seed}; rename or delete it"
        )
    return cell


def finished_cell(folder: Path | str, *, arm: str, seed: int, settings: Mapping[str, Any]) -> Cell | None:
    """The cell if it has been run already, so that it need not be run again.

    Args:
        folder: the study's folder.
        arm: of the cell.
        seed: of the cell.
        settings: which the cell would be run with now.

    Returns:
        The cell, or None where it must be run: there is no file, or (with a `DamagedCellWarning`) an unreadable one.

    Raises:
        RunFolderError: there is a cell with other settings, which must not be overwritten or mixed with new ones.
    """
    path = cell_path(folder, arm=arm, seed=seed)
    if not path.exists():
        return None
    try:
        cell = read_cell(path)
    except RunFolderError as error:
        warnings.warn(f"{error} (it is run again now)", DamagedCellWarning, stacklevel=2)
        return None
    wanted = plain(settings)
    if cell.settings != wanted:
        differing = sorted(
            key for key in {*cell.settings, *wanted} if cell.settings.get(key, ...) != wanted.get(key, ...)
        )
        raise RunFolderError(
            f"expected {path} to have been run with the present settings, got others for {', '.join(differing)}; "
            "write to another folder, or delete the old cells"
        )
    return cell


def read_cells(folder: Path | str) -> tuple[Cell, ...]:
    """All cells of a study, by arm and then by seed.

    Raises:
        RunFolderError: there are none, or one is damaged.
    """
    paths = (Path(folder) / "cells").glob("*.json")
    cells = sorted((read_cell(path) for path in paths), key=lambda cell: (cell.arm, cell.seed))
    if not cells:
        raise RunFolderError(f"expected cells in {Path(folder) / 'cells'}, got none; run the study first")
    return tuple(cells)


def over_seeds(cells: Iterable[Cell], figure: str, *, arm: str) -> np.ndarray:
    """One figure of one arm, a value a seed in the order of the seeds, float64 of shape `[n]`.

    Raises:
        RunFolderError: no cell of that arm, or one of them lacks the figure.
    """
    chosen = sorted((cell for cell in cells if cell.arm == arm), key=lambda cell: cell.seed)
    found = [cell.figures.get(figure) for cell in chosen]
    lacking = [
        cell.seed for cell, value in zip(chosen, found, strict=True) if value is None or not math.isfinite(value)
    ]
    if not chosen or lacking:
        raise RunFolderError(
            f"expected {figure!r} in every cell of arm {arm!r}, got "
            f"{'no such cell' if not chosen else f'none for the seeds {lacking}'}; run the study again"
        )
    return np.array(found, dtype=np.float64)
