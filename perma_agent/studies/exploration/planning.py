"""The cells of the study: those that weights are chosen by, and with the weights chosen all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from perma_agent.continual.config_json import to_json
from perma_agent.evaluation.cells import Cell
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.cell_names import FREE, SCRATCH, SPARSE, TRANSFER, run_name, tuning_name
from perma_agent.studies.exploration.config import ExplorationStudy, Seeds
from perma_agent.studies.exploration.grounds import LEVELS, ExploredLevel
from perma_agent.studies.exploration.place_reading import PLACE, measure_places
from perma_agent.studies.exploration.runs import Run, explore, transfer
from perma_agent.studies.exploration.scratch import ScratchConfig, explore_from_scratch
from perma_agent.studies.exploration.simplest_case import (
    ARGUMENTS,
    ROOM,
    SEEN_AS,
    SIGHTS,
    WEIGHT,
    measure_room,
    shortened,
)
from perma_agent.studies.exploration.tuning import chosen_weight
from perma_agent.studies.exploration.vases import ELSEWHERE
from perma_agent.studies.planned_cell import Measured, PlannedCell

Weights = Mapping[str, float]
"""Arm → the weight chosen for it; what cannot be chosen yet is not there."""


def plan_tuning(config: ExplorationStudy, vases: Path) -> list[PlannedCell]:
    """The cells that weights are chosen by; of arms with one weight there is nothing to choose."""
    tuning = config.tuning
    explorer = replace(config.explorer, steps=tuning.steps)
    return [
        _cell(
            config,
            tuning_name(tuning.level, arm, weight),
            Run(level=tuning.level, arm=arm, weight=weight, extrinsic=0.0, explorer=explorer, seed=seed),
            vases,
        )
        for arm in config.arms
        for weight in ARMS[arm].weights
        for seed in tuning.seeds
        if len(ARMS[arm].weights) > 1
    ]


def plan_runs(config: ExplorationStudy, vases: Path, weights: Weights) -> list[PlannedCell]:
    """A cell for each arm that has its weight, in each mode and on each of its seeds."""

    def planned(mode: str, level: str, seeds: Seeds, *, extrinsic: float = 0.0, **how: Any) -> list[PlannedCell]:
        return [
            _cell(
                config,
                run_name(mode, level, arm),
                Run(
                    level=level,
                    arm=arm,
                    weight=weights[arm],
                    extrinsic=extrinsic,
                    explorer=config.explorer,
                    seed=seed,
                ),
                vases,
                **how,
            )
            for arm, chosen in seeds.items()
            if arm in weights
            for seed in chosen
        ]

    first, second = config.transfer
    return [
        *(cell for level in config.levels for cell in planned(FREE, level, config.free)),
        *(cell for level in config.levels for cell in planned(SPARSE, level, config.sparse, extrinsic=1.0)),
        *planned(SCRATCH, config.levels[0], config.scratch, scratch=ScratchConfig(model=config.pretraining.model)),
        *planned(TRANSFER, second, config.transferred, before=first),
    ]


def plan_places(config: ExplorationStudy, vases: Path) -> list[PlannedCell]:
    """A cell for each level and each of `checked`: what a frame tells there of where it was taken."""
    return [
        PlannedCell(
            arm=f"{PLACE}-{level}",
            seed=seed,
            settings={"preset": config.preset, "level": _level(LEVELS[level]), "vase": _vase(config, LEVELS[level])},
            work=1.0,
            measure=partial(measure_places, level, seed, vases),
        )
        for level in config.levels
        for seed in config.checked
    ]


def plan_rooms(config: ExplorationStudy, vases: Path) -> list[PlannedCell]:
    """A cell for each sight and each of `checked`: whether goals in one empty room are learnt to be reached."""
    explorer, level = shortened(config.explorer), LEVELS[SEEN_AS]
    common = {"preset": config.preset, "room": dict(ARGUMENTS), "explorer": to_json(explorer), "weight": WEIGHT}
    seen = {"level": _level(level), "vase": _vase(config, level)}
    return [
        PlannedCell(
            arm=f"{ROOM}-{sight}",
            seed=seed,
            settings={**common, "sight": sight, **({} if sight == "pose" else seen)},
            work=float(explorer.steps),
            measure=partial(measure_room, sight, explorer, seed, vases),
        )
        for sight in SIGHTS
        for seed in config.checked
    ]


def weights_of(config: ExplorationStudy, cells: Sequence[Cell]) -> dict[str, float]:
    """The weights that can be chosen by now: the only one there is, or the best of those tried on the tuning seeds."""
    found: dict[str, float] = {}
    for arm in config.arms:
        weights = ARMS[arm].weights
        names = {tuning_name(config.tuning.level, arm, weight) for weight in weights}
        tried = [cell for cell in cells if cell.arm in names and cell.seed in config.tuning.seeds]
        if len(weights) == 1:
            found[arm] = weights[0]
        elif len(tried) == len(weights) * len(config.tuning.seeds):
            found[arm] = chosen_weight(tried)
    return found


def _cell(
    config: ExplorationStudy,
    name: str,
    run: Run,
    vases: Path,
    *,
    before: str | None = None,
    scratch: ScratchConfig | None = None,
) -> PlannedCell:
    measure: Callable[[Callable[[float], None]], Measured] = partial(explore, run, vases)
    if before is not None:
        measure = partial(transfer, run, before, vases)
    if scratch is not None:
        measure = partial(explore_from_scratch, run, scratch)
    return PlannedCell(
        arm=name,
        seed=run.seed,
        settings=_settings(config, run, before=before, scratch=scratch),
        work=float(run.explorer.steps * (1 if before is None else 2)),
        measure=measure,
    )


def _settings(
    config: ExplorationStudy, run: Run, *, before: str | None, scratch: ScratchConfig | None
) -> dict[str, Any]:
    level, arm = LEVELS[run.level], ARMS[run.arm]
    common: dict[str, Any] = {
        "preset": config.preset,
        "arm": run.arm,
        "level": _level(level),
        "bonus": {"name": arm.bonus, "options": dict(arm.options), "shows_goal": arm.shows_goal},
        "weight": run.weight,
        "extrinsic": run.extrinsic,
        "explorer": to_json(run.explorer),
    }
    if scratch is not None:
        return {**common, "scratch": to_json(scratch)}
    if arm.blind:
        return common
    seen = {**common, "vase": _vase(config, level)}
    return seen if before is None else {**seen, "before": _level(LEVELS[before])}


def _vase(config: ExplorationStudy, level: ExploredLevel) -> dict[str, Any]:
    """Where the VASE that sees a level has lived, and how it learnt."""
    worlds = [[{"id": choice.id, **choice.arguments} for choice in world] for world in ELSEWHERE[level.vase]]
    return {"worlds": worlds, **to_json(config.pretraining)}


def levels_seen(cell: PlannedCell) -> set[str]:
    """Names of the levels that a cell sees through a VASE pretrained elsewhere; none with one of its own, or blind."""
    if "vase" not in cell.settings:
        return set()
    shown = [cell.settings.get(key) for key in ("level", "before")]
    timed = cell.settings.get("timing", {}).get("level")
    return {name for name, level in LEVELS.items() if name == timed or _level(level) in shown}


def _level(level: ExploredLevel) -> dict[str, Any]:
    return {"id": level.id, "arguments": dict(level.arguments), "seeded": level.seeded}
