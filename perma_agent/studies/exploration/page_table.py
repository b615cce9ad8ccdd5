"""The page's tables: every arm in a mode on a level, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Table
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.cell_names import MODES, levels_of, runs_of, values_of
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.rows import FIRST, estimate
from perma_agent.studies.page_parts import NO_VALUE, estimate_text

COLUMNS: Mapping[str, tuple[str, int]] = {
    "cells met": ("coverage", 3),
    "area under the curve": ("coverage_area", 3),
    "poses met": ("pose_coverage", 3),
    "combinations": ("combinations", 0),
    "steps to first reward": (FIRST, 0),
    "success, last quarter": ("success", 2),
    "steps/s": ("steps_per_second", 0),
}
"""Heading of each column, its figure and its decimals."""


def tables(cells: Sequence[Cell], mode: str) -> list[Table]:
    """A table for each level."""
    return [_table(runs_of(cells, mode, level), mode, level) for level in levels_of(cells, mode)]


def _table(runs: Mapping[str, Sequence[Cell]], mode: str, level: str) -> Table:
    rows = [
        (ARMS[arm].title, len(found), *(_text(found, *column) for column in COLUMNS.values()))
        for arm, found in runs.items()
    ]
    caption = (
        f"{LEVELS[level].title}, {MODES[mode]}. Interquartile means over seeds with 95% intervals. Cells and poses "
        "(cell and octant of the heading) as a share of those that can be reached; combinations of cell, octant, "
        "distance ahead and object in view are counted. A run without reward counts with its whole length."
    )
    return Table(header=("arm", "seeds", *COLUMNS), rows=rows, caption=caption)


def _text(found: Sequence[Cell], figure: str, digits: int) -> str:
    values = values_of(found, figure)
    return estimate_text(estimate(values), digits=digits) if len(values) else NO_VALUE
