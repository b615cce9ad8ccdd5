"""`perma-agent study NAME`: rerun a published experiment, or rebuild its summary and figures from its cells."""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.progress import progress_bar
from perma_agent.data.image_folder import ImageFolder
from perma_agent.errors import PermaAgentError
from perma_agent.evaluation.results import Summary

STUDIES: Mapping[str, str] = {
    "continual": "perma_agent.studies.continual",
    "levels": "perma_agent.studies.level_scores",
    "permanence": "perma_agent.studies.permanence",
    "throughput": "perma_agent.studies.throughput",
}
"""Study and its module, which has `PRESETS` (name -> config), `run(config, folder, only=…, progress=…)` that measures
the cells that are missing, and `summarise(folder)` that writes `summary.json` and figures and returns the Summary."""
WITH_RESOURCES = ("continual", "permanence")
"""Studies whose cells run side by side, and that may learn from image sets."""
PUBLISHED = Path("benchmarks/results")
TRIED = Path("runs/studies")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Rerun a published experiment; what was measured already is kept, so that it goes on where it stopped."""

    name: tyro.conf.Positional[str] = ""
    """continual (the VASE paper's experiments), levels (an oracle's and chance's scores, and kills survived),
    permanence (the permanence prior beside other priors over time) or throughput (steps a second)."""
    preset: str = "smoke"
    """smoke (under a minute, figures without meaning), bench (what is published) or, of continual and permanence,
    paper (the papers' own sizes, for who has a GPU)."""
    folder: Path | None = None
    """Of the results; if not given, benchmarks/results/NAME for bench and runs/studies/NAME-PRESET for others."""
    only: str | None = None
    """Run only arms that begin with this, e.g. three-sda of continual, oracle, random or kills of levels, sprites or
    sprites-direction of permanence, alone or copies of throughput."""
    data: Path | None = None
    """Of continual and permanence: folder with mnist/ and fashion-mnist/; if not given, where PERMA_DATA says, else
    downloaded."""
    images: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Of continual: a folder of pictures, e.g. CelebA's, as DIR or NAME=DIR (may be repeated); adds lives in which it
    stands in for MNIST or for inverse Fashion, and their ambiguity (figure 5A); --only images runs these alone."""
    processes: int | None = None
    """Of continual and permanence: cells measured side by side, a core each; if not given, as many as there are
    cores."""
    summarise: bool = False
    """Measure nothing; rebuild the summary and the figures from the cells."""
    levels: bool = False
    """Of throughput: time the levels, which is all that it times so far."""
    json: bool = False
    """Write the summary as JSON instead of a table."""


def run(config: Config) -> None:
    """Run the study's missing cells, then write `summary.json` and the figures.

    Raises:
        PermaAgentError: there is no such study or preset.
        LevelError: a level cannot be made.
        RunFolderError: the folder holds cells of other settings, or none where only a summary was asked for.
    """
    if config.name not in STUDIES:
        raise PermaAgentError(f"expected one of the studies {', '.join(STUDIES)}, got {config.name!r}")
    if config.levels and config.name != "throughput":
        raise PermaAgentError(f"expected --levels with the study throughput only, got it with {config.name}")
    if config.name not in WITH_RESOURCES and (config.data, config.processes) != (None, None):
        raise PermaAgentError(
            f"expected --data and --processes with the studies {' and '.join(WITH_RESOURCES)} only, got them with "
            f"{config.name}"
        )
    if config.name != "continual" and config.images:
        raise PermaAgentError(f"expected --images with the study continual only, got it with {config.name}")
    if config.processes is not None and config.processes < 1:
        raise PermaAgentError(f"expected at least one process, got --processes {config.processes}")
    study: Any = importlib.import_module(STUDIES[config.name])
    if config.preset not in study.PRESETS:
        raise PermaAgentError(f"expected one of the presets {', '.join(study.PRESETS)}, got {config.preset!r}")
    folder = config.folder or _default_folder(config)
    if not config.summarise:
        study.run(
            _with_resources(study.PRESETS[config.preset], config), folder, only=config.only, progress=progress_bar
        )
    summary: Summary = study.summarise(folder)
    if config.json:
        show_json(summary)
        return
    show_table(
        ["figure", "value", "95% interval", "n", "unit", "goal", "", "note"],
        [
            (row.id, *_figures(row), row.n, row.unit, row.goal or "", _verdict(row.met), row.note)
            for row in summary.rows
        ],
    )
    show_table(["results"], [(str(folder),)])


def _with_resources(preset: Any, config: Config) -> Any:
    """The preset with what a machine has; no result depends on it but those of the images, which say so."""
    if config.name not in WITH_RESOURCES:
        return preset
    processes = os.cpu_count() or 1 if config.processes is None else config.processes
    folders = {"folders": tuple(map(ImageFolder.parse, config.images))} if config.images else {}
    return dataclasses.replace(preset, data=config.data, processes=processes, **folders)


def _default_folder(config: Config) -> Path:
    return PUBLISHED / config.name if config.preset == "bench" else TRIED / f"{config.name}-{config.preset}"


def _figures(row: Any) -> tuple[str, str]:
    return ("-", "-") if row.mean is None else (f"{row.mean:.4g}", f"{row.low:.4g} to {row.high:.4g}")


def _verdict(met: bool | None) -> str:
    return "" if met is None else ("met" if met else "missed")
