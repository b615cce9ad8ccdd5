"""The cells of the study: those that weights are chosen by, and with the weights chosen all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from perma_agent.continual.config_json import to_json
from perma_agent.evaluation.cells import Cell
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.learning import measure_arm, measure_weight
from perma_agent.studies.permanence.presets import PermanenceStudy
from perma_agent.studies.permanence.tuning import chosen_weight
from perma_agent.studies.planned_cell import PlannedCell

TUNING = "tune"
"""Second part of the names of the cells that weights are chosen by: `sprites-tune-l1-3`."""
ROLLOUTS = "rollouts"
"""Folder of the recordings of all comparisons below the study's, which is not published."""

Weights = Mapping[tuple[str, str], float]
"""Comparison and arm → the weight chosen for it; what cannot be chosen yet is not there."""


def plan_tuning(config: PermanenceStudy, folder: Path) -> list[PlannedCell]:
    """The cells that weights are chosen by; of arms with one weight there is nothing to choose."""
    return [
        PlannedCell(
            arm=tuning_name(name, arm, weight),
            seed=seed,
            settings=_settings(config, comparison, arm, weight),
            work=float(comparison.training.steps),
            measure=partial(measure_weight, comparison, arm, weight, seed, folder / ROLLOUTS / name),
        )
        for name, comparison in config.comparisons.items()
        for arm in comparison.seeds
        for weight in comparison.tried(arm)
        for seed in comparison.tuned_on
        if len(comparison.tried(arm)) > 1 and comparison.weights_of is None
    ]


def plan_arms(config: PermanenceStudy, folder: Path, weights: Weights) -> list[PlannedCell]:
    """A cell for each arm that has its weight, and each of its seeds."""
    return [
        PlannedCell(
            arm=f"{name}-{arm}",
            seed=seed,
            settings=_settings(config, comparison, arm, weights[name, arm]),
            work=float(comparison.training.steps),
            measure=partial(measure_arm, comparison, arm, weights[name, arm], seed, folder / ROLLOUTS / name),
        )
        for name, comparison in config.comparisons.items()
        for arm, seeds in comparison.seeds.items()
        if (name, arm) in weights
        for seed in seeds
    ]


def weights_of(config: PermanenceStudy, cells: Sequence[Cell]) -> dict[tuple[str, str], float]:
    """The weights that can be chosen by now."""
    found: dict[tuple[str, str], float] = {}
    for name, comparison in config.comparisons.items():
        for arm in comparison.seeds:
            weight = _weight_of(name, arm, comparison, cells)
            if comparison.weights_of is not None:
                weight = found.get((comparison.weights_of, arm), weight)
            if weight is not None:
                found[name, arm] = weight
    return found


def _weight_of(name: str, arm: str, comparison: Comparison, cells: Sequence[Cell]) -> float | None:
    """The one weight there is, or the one that was chosen on this comparison's own seeds; None before that."""
    weights = comparison.tried(arm)
    if len(weights) == 1:
        return weights[0]
    names = {tuning_name(name, arm, weight) for weight in weights}
    tried = [cell for cell in cells if cell.arm in names and cell.seed in comparison.tuned_on]
    complete = len(tried) == len(weights) * len(comparison.tuned_on)
    return chosen_weight(tried) if complete else None


def tuning_name(comparison: str, arm: str, weight: float) -> str:
    """Name of a cell's arm that tries a weight, e.g. `sprites-tune-l1-3`."""
    return f"{comparison}-{TUNING}-{arm}-{weight:g}"


def _settings(config: PermanenceStudy, comparison: Comparison, arm: str, weight: float) -> dict[str, Any]:
    return {
        "preset": config.preset,
        "host": to_json(ARMS[arm].make(comparison.network, weight, comparison.budget)),
        "ground": {"kind": type(comparison.ground).__name__.lower(), **to_json(comparison.ground)},
        "training": to_json(comparison.training),
        "looks": comparison.looks,
    }
