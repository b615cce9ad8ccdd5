"""The study `transfer`: its parts are run one by one, and one summary and page are made of all their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from perma_agent.errors import PermaAgentError
from perma_agent.evaluation.cells import Cell, read_cells
from perma_agent.evaluation.results import Row, Summary
from perma_agent.studies.cell_runs import summarise_cells
from perma_agent.studies.demo import ProgressBar, no_progress
from perma_agent.studies.page_files import write_parts
from perma_agent.studies.page_parts import Part as PagePart
from perma_agent.studies.planned_cell import PlannedCell
from perma_agent.studies.transfer import sample_efficiency

STUDY = "transfer"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One experiment of the study."""

    presets: Mapping[str, Any]
    """How much of it is run, by preset."""
    plan: Callable[[Any, Path], list[PlannedCell]]
    """All cells, given one of the presets and the folder of the results; their names begin with the part's."""
    run: Callable[..., None]
    """Measures those that are missing."""
    rows: Callable[[Sequence[Cell]], list[Row]]
    """Of its cells."""
    contents: Callable[[Sequence[Cell]], Iterator[tuple[str, Sequence[PagePart]]]]
    """Its sections of the page, of its cells."""


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "sample-efficiency": Part(
            presets=sample_efficiency.PRESETS,
            plan=sample_efficiency.plan,
            run=sample_efficiency.run,
            rows=sample_efficiency.rows_of,
            contents=sample_efficiency.contents_of,
        )
    }
)
"""Parts by name."""


@dataclass(frozen=True, kw_only=True)
class TransferStudy:
    """What is run."""

    preset: str
    """Name of the settings of each part."""
    part: str | None = None
    """The part that is run; None runs all."""
    processes: int | None = 1
    """Cells measured side by side, a core each; None measures them in this process."""

    @property
    def chosen(self) -> dict[str, Any]:
        """Settings of the parts that are run, by name.

        Raises:
            PermaAgentError: there is no such part.
        """
        if self.part is not None and self.part not in PARTS:
            raise PermaAgentError(f"expected one of the parts {', '.join(PARTS)}, got {self.part!r}")
        names = PARTS if self.part is None else (self.part,)
        return {name: PARTS[name].presets[self.preset] for name in names}


PRESETS: Mapping[str, TransferStudy] = MappingProxyType(
    {preset: TransferStudy(preset=preset) for preset in ("smoke", "bench", "paper")}
)
"""Presets by name."""


def run(config: TransferStudy, folder: Path, *, only: str | None = None, progress: ProgressBar = no_progress) -> None:
    """Measure the cells that are missing, part by part.

    Args:
        config: which part, and how much.
        folder: of the results.
        only: cells that begin with this, with or without the part's name; None for all.
        progress: makes the bars.

    Raises:
        PermaAgentError: there is no such part, or a process died.
        RunFolderError: the folder has cells of other settings.
    """
    for name, settings in config.chosen.items():
        PARTS[name].run(STUDY, settings, folder, only=only, progress=progress, processes=config.processes)


def plan(config: TransferStudy, folder: Path = Path()) -> list[PlannedCell]:
    """All cells of the parts that are run."""
    return [cell for name, settings in config.chosen.items() for cell in PARTS[name].plan(settings, folder)]


def summarise(folder: Path) -> Summary:
    """Write `summary.json`, the figures, `tables.md` and `report.html` from the cells, be there all or only some.

    Raises:
        RunFolderError: there are no cells, one is damaged, or they are of different presets.
    """
    summary = summarise_cells(STUDY, folder, command=f"perma-agent study {STUDY}", rows=_rows)
    cells = read_cells(folder)
    write_parts(
        [section for name, part in PARTS.items() for section in part.contents(of_part(cells, name))],
        cells,
        summary,
        folder,
        title="Transfer",
        introduction="What a code of the frames, learnt before there was a task, is worth to a policy.",
    )
    return summary


def of_part(cells: Sequence[Cell], name: str) -> list[Cell]:
    """The cells of one part."""
    return [cell for cell in cells if cell.arm.startswith(f"{name}-")]


def _rows(cells: Sequence[Cell]) -> list[Row]:
    return [row for name, part in PARTS.items() for row in part.rows(of_part(cells, name))]
