"""Shows a run folder as tables: where it stands, and the environments it knows."""

from __future__ import annotations

from collections.abc import Sequence

from perma_agent.cli.output import show_table
from perma_agent.studies.run_summary import RunSummary


def show_run(summary: RunSummary) -> None:
    """Write a run folder's state to stdout."""
    model = summary.model
    show_table(
        [str(summary.path), ""],
        [
            ("written by", f"perma_agent {summary.perma_agent}"),
            ("files", f"{len(summary.files)} of {summary.bytes / 1e6:.1f} megabytes, all checksums right"),
            ("batches seen", summary.step),
            ("environment now", "none yet" if summary.environment is None else summary.environment),
            ("frames", f"{model.image_size}x{model.image_size}, {model.channels} channels, {model.likelihood}"),
            ("network", f"filters {_listed(model.filters)}, {model.hidden} hidden units, {model.latents} latents"),
        ],
    )
    if summary.environments:
        show_table(
            ["environment", "batches", "settled", "error in nats", "latents used", "latents masked"],
            [
                (
                    index,
                    environment.steps,
                    "yes" if environment.settled else "not yet",
                    "-" if environment.error is None else f"{environment.error:.2f}",
                    _listed(environment.used),
                    _listed(environment.masked),
                )
                for index, environment in enumerate(summary.environments)
            ],
        )


def _listed(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers)) or "-"
