"""The study's checks beside its runs: advantages with a bonus against a calculation by hand, and what a bonus costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from perma_agent.continual.config_json import to_json
from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.bonus_cost import bonus_cost_rows, measure_bonus_cost
from perma_agent.studies.exploration.config import ExplorationStudy, Timing
from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.gae_check import gae_check
from perma_agent.studies.exploration.grounds import LEVELS, make_explored, survey
from perma_agent.studies.exploration.vases import vase_folder
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell
from perma_agent.studies.seed_rows import row, seeds_of

GAE, COST = "gae", "cost"
"""Names of the cells that compare advantages, and that time bonuses."""


def plan_checks(config: ExplorationStudy) -> list[PlannedCell]:
    """A cell for each seed that advantages are checked with."""
    return [
        PlannedCell(
            arm=GAE, seed=seed, settings={"preset": config.preset}, work=1.0, measure=partial(measure_gae, seed)
        )
        for seed in config.checked
    ]


def plan_timing(config: ExplorationStudy, vases: Path) -> list[PlannedCell]:
    """The cell that times bonuses, if any are to be timed; it wants the machine for itself."""
    timing = config.timing
    if timing is None:
        return []
    arms = {arm: dict(ARMS[arm].options) for arm in timing.arms}
    settings = {
        "preset": config.preset,
        "timing": asdict(timing),
        "explorer": to_json(config.explorer),
        "vase": to_json(config.pretraining),
        "options": arms,
    }
    return [
        PlannedCell(
            arm=COST,
            seed=0,
            settings=settings,
            work=float((timing.rounds + 1) * len(timing.arms)),
            measure=partial(measure_cost, timing, config.explorer, vases),
        )
    ]


def measure_gae(seed: int, advance: Advance) -> Measured:
    """Compare a rollout's advantages and returns with those calculated by hand."""
    found = gae_check(seed=seed)
    advance(1.0)
    return Measured(
        figures={
            "error": found.error,
            "added_after": found.added_after,
            "terminations": float(found.terminations),
            "time_limits": float(found.time_limits),
        }
    )


def measure_cost(timing: Timing, explorer: ExplorerConfig, vases: Path, advance: Advance) -> Measured:
    """Time the study's own agents against each other, see `measure_bonus_cost`."""
    surveyed = survey(LEVELS[timing.level], 0)
    return measure_bonus_cost(
        advance,
        make_levels=partial(make_explored, surveyed, copies=explorer.copies),
        run=vase_folder(vases, timing.level),
        arms=timing.arms,
        config=explorer,
        rounds=timing.rounds,
    )


def check_rows(cells: Sequence[Cell]) -> list[Row]:
    """What the checks say."""
    return [
        row(
            "gae_error",
            seeds_of(cells, GAE, "error"),
            goal="<= 1e-6",
            note="largest difference of an advantage or return from the analytic one, a toy MDP with known values",
        ),
        row(
            "gae_error_added_after",
            seeds_of(cells, GAE, "added_after"),
            note="the same had the bonus been added to advantages and returns after GAE",
        ),
        *bonus_cost_rows(next((cell for cell in cells if cell.arm == COST), None)),
    ]
