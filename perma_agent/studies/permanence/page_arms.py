"""The study's cells by what they are: which arm on which ground, and which weight was tried for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.studies.page_parts import of_arm
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.planning import tuning_name
from perma_agent.studies.permanence.rows import GROUNDS

RIVALS = frozenset({"none", "l1", "l2", "slowvae", "ada-gvae", "pcl", "jepa", "memory"})
"""Arms that the permanence family is held against."""
OURS = frozenset(ARMS) - RIVALS
"""Arms of the permanence family."""
OTHER_SECTIONS = frozenset({"case", "vase"})
"""First parts of the names of cells that have sections of their own."""

Arms = Mapping[str, Sequence[Cell]]
"""Cells by arm, in the order of `ARMS`, each in the order of their seeds."""


def grounds_of(cells: Sequence[Cell]) -> list[str]:
    """Names of the comparisons that have cells, those with bars first."""
    found = {ground for cell in cells if (ground := cell.arm.partition("-")[0]) not in OTHER_SECTIONS}
    return [*(ground for ground in GROUNDS if ground in found), *sorted(found - set(GROUNDS))]


def title_of(ground: str) -> str:
    """A ground in words, for a heading."""
    words = GROUNDS.get(ground, ground)
    return words[:1].upper() + words[1:]


def arms_on(cells: Sequence[Cell], ground: str) -> dict[str, list[Cell]]:
    """The cells that are reported on, by arm; arms that were not run are not there."""
    return {arm: found for arm in ARMS if (found := of_arm(cells, f"{ground}-{arm}"))}


def tried_on(cells: Sequence[Cell], ground: str) -> dict[str, list[Cell]]:
    """The cells that weights are chosen by, by arm."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        weight = cell.figures.get("weight")
        for arm in ARMS:
            if weight is not None and cell.arm == tuning_name(ground, arm, weight):
                found.setdefault(arm, []).append(cell)
    return {arm: sorted(found[arm], key=lambda cell: (cell.arm, cell.seed)) for arm in ARMS if arm in found}
