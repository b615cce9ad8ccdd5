"""`perma-agent demo`: from 3D levels to a trained policy and a report, in one run of some minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from perma_agent.cli.output import show_json, show_table
from perma_agent.cli.progress import progress_bar
from perma_agent.evaluation.report import write_page
from perma_agent.evaluation.results import Summary, write_summary
from perma_agent.studies.demo import DemoConfig, run_demo
from perma_agent.studies.demo_folder import claim
from perma_agent.studies.demo_report import make_page, summarise


@dataclass(frozen=True, kw_only=True)
class Config:
    """Record 3D levels, pretrain a VASE indoors, go on outdoors, train PPO through it, and write a report."""

    folder: Path = Path("runs/demo")
    """Where trajectories, model and report are written; an earlier demo there is replaced."""
    seed: int = 0
    """Of levels, model, batches and policy."""
    debug: bool = False
    """The same in under a minute, with a tiny network; its figures mean nothing."""
    json: bool = False
    """Write the figures as JSON instead of a table."""


def run(config: Config) -> None:
    """Run the demo and write `report.html` and `summary.json` into its folder.

    Raises:
        LevelError: a level's engine is missing.
        StoreError: something that is no demo stands in the folder, or it cannot be written.
    """
    began = time.perf_counter()
    claim(config.folder)
    make = DemoConfig.debug if config.debug else DemoConfig
    result = run_demo(make(folder=config.folder, seed=config.seed), progress=progress_bar)
    command = "perma-agent demo" + (" --debug" if config.debug else "") + (f" --seed {config.seed}")
    summary = summarise(
        result,
        command=command,
        preset="debug" if config.debug else "default",
        total_seconds=time.perf_counter() - began,
    )
    report = config.folder / "report.html"
    write_page(make_page(result, summary), report)
    write_summary(summary, config.folder / "summary.json")
    if config.json:
        show_json(summary)
    else:
        _show(summary, report)


def _show(summary: Summary, report: Path) -> None:
    def words(met: bool | None) -> str:
        return "" if met is None else ("met" if met else "missed")

    show_table(
        ["figure", "value", "unit", "goal", ""],
        [
            (row.id, "-" if row.mean is None else f"{row.mean:.4g}", row.unit, row.goal or "", words(row.met))
            for row in summary.rows
        ],
    )
    show_table(["report"], [(str(report),)])
