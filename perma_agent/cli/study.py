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
    "exploration": "perma_agent.studies.exploration",
    "levels": "perma_agent.studies.level_scores",
    "permanence": "perma_agent.studies.permanence",
    "sb3": "perma_agent.studies.sb3",
    "throughput": "perma_agent.studies.throughput",
    "transfer": "perma_agent.studies.transfer",
}
"""Study and its module, which has `PRESETS` (name -> config), `run(config, folder, only=…, progress=…)` that measures
the cells that are missing, and `summarise(folder)` that writes `summary.json` and figures and returns the Summary."""
WITH_IMAGES = ("continual", "exploration", "permanence")
"""Studies that may learn from image sets."""
SIDE_BY_SIDE = (*WITH_IMAGES, "sb3", "transfer")
"""Studies whose cells run side by side."""
PUBLISHED = Path("benchmarks/results")
TRIED = Path("runs/studies")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Rerun a published experiment; what was measured already is kept, so that it goes on where it stopped."""

    name: tyro.conf.Positional[str] = ""
    """continual (the VASE paper's experiments), exploration (imagination as an intrinsic reward beside others), levels
    (an oracle's and chance's scores, and kills survived), permanence (the permanence prior beside other priors over
    time), sb3 (how fast and steady PPO is that sees through a VASE, and whether it goes on where it was killed),
    throughput (steps a second) or transfer (what a pretrained code is worth to a policy)."""
    preset: str = "smoke"
    """smoke (under a minute, figures without meaning), bench (what is published) or, for who has a GPU or days, paper
    (the papers' own sizes, of continual, permanence and transfer) and full (of exploration)."""
    folder: Path | None = None
    """Of the results; if not given, benchmarks/results/NAME for bench and runs/studies/NAME-PRESET for others."""
    only: str | None = None
    """Run only arms that begin with this, e.g. three-sda of continual, oracle, random or kills of levels, sprites or
    sprites-direction of permanence, speed, resume or switch of sb3, alone or copies of throughput, forage or
    forage-vase of transfer, free, free-indoor-maze or sparse of exploration."""
    part: str | None = None
    """Of transfer: the part to run, sample-efficiency; if not given, all."""
    data: Path | None = None
    """Of continual, exploration and permanence: folder with mnist/ and fashion-mnist/; if not given, where PERMA_DATA
    says, else downloaded."""
    images: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Of continual: a folder of pictures, e.g. CelebA's, as DIR or NAME=DIR (may be repeated); adds lives in which it
    stands in for MNIST or for inverse Fashion, and their ambiguity (figure 5A); --only images runs these alone."""
    processes: int | None = None
    """Of continual, exploration, permanence, sb3 (but for what it times) and transfer: cells measured side by side, a
    core each; if not given, as many as there are cores."""
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
    _refuse_what_does_not_belong(config)
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


def _refuse_what_does_not_belong(config: Config) -> None:
    """An option of other studies."""
    for option, given, studies in (
        ("--levels", config.levels, ("throughput",)),
        ("--part", config.part is not None, ("transfer",)),
        ("--data", config.data is not None, WITH_IMAGES),
        ("--processes", config.processes is not None, SIDE_BY_SIDE),
        ("--images", bool(config.images), ("continual",)),
    ):
        if given and config.name not in studies:
            words = f"the study {studies[0]}" if len(studies) == 1 else f"the studies {', '.join(studies)}"
            raise PermaAgentError(f"expected {option} with {words} only, got it with {config.name}")


def _with_resources(preset: Any, config: Config) -> Any:
    """The preset with what a machine has and what was chosen; no result depends on it but where the cells say so."""
    if config.name not in SIDE_BY_SIDE:
        return preset
    changes: dict[str, Any] = {"processes": os.cpu_count() or 1 if config.processes is None else config.processes}
    if config.name in WITH_IMAGES:
        changes["data"] = config.data
    if config.images:
        changes["folders"] = tuple(map(ImageFolder.parse, config.images))
    if config.part is not None:
        changes["part"] = config.part
    return dataclasses.replace(preset, **changes)


def _default_folder(config: Config) -> Path:
    return PUBLISHED / config.name if config.preset == "bench" else TRIED / f"{config.name}-{config.preset}"


def _figures(row: Any) -> tuple[str, str]:
    return ("-", "-") if row.mean is None else (f"{row.mean:.4g}", f"{row.low:.4g} to {row.high:.4g}")


def _verdict(met: bool | None) -> str:
    return "" if met is None else ("met" if met else "missed")
