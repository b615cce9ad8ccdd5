"""Writing a study's page: its figures as PNG, its tables as Markdown, and one HTML file with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from perma_agent.evaluation.atomic_write import write_text
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Page, Section, Table, write_page
from perma_agent.evaluation.report.blocks import table_markdown
from perma_agent.evaluation.results import Summary
from perma_agent.studies.page_parts import Drawn, Part

REPORT, TABLES = "report.html", "tables.md"


def write_parts(
    contents: Iterable[tuple[str, Sequence[Part]]],
    cells: Sequence[Cell],
    summary: Summary,
    folder: Path,
    *,
    title: str,
    introduction: str,
) -> None:
    """Write every figure as PNG, every table into `tables.md`, and all of both into `report.html`.

    Args:
        contents: title of each section, in order, and what stands in it; one of nothing is left out, and of a figure
            that is not among them an earlier PNG stays.
        cells: which the contents are made of.
        summary: the study's results.
        folder: of the results.
        title: of the page.
        introduction: what was done, in a few sentences.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    sections = [(heading, list(parts)) for heading, parts in contents]
    for _, parts in sections:
        for part in parts:
            if isinstance(part, Drawn):
                part.write(folder)
    command = f"{summary.command} --summarise"
    page = Page(
        title=title,
        introduction=f"{introduction}\n\nPreset {summary.preset}, {len(cells)} cells.",
        sections=[
            Section(
                title=heading, blocks=[part.picture(command) if isinstance(part, Drawn) else part for part in parts]
            )
            for heading, parts in sections
            if parts
        ],
        summary=summary,
    )
    write_page(page, folder / REPORT)
    tables = [
        f"## {heading}\n\n" + "\n".join(table_markdown(part) for part in parts if isinstance(part, Table))
        for heading, parts in sections
        if any(isinstance(part, Table) for part in parts)
    ]
    write_text(folder / TABLES, f"# Tables, made by `{command}`\n\n" + "\n".join(tables))
