"""Measuring a run: figures and series of a cell out of what was noted at every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from perma_agent.evaluation.coverage import (
    OCTANTS,
    cell_coverage,
    combinations,
    coverage,
    poses,
    steps_to_first,
)
from perma_agent.studies.exploration.grounds import Surveyed
from perma_agent.studies.exploration.visit_map import to_series
from perma_agent.studies.exploration.visit_recorder import VisitLog
from perma_agent.studies.planned_cell import Measured

POINTS = 41
"""Moments of a run at which curves are kept, evenly spread, the beginning and the end among them."""
LATE = 0.25
"""Share of the episodes, the last ones, whose success is that of the trained agent."""


def measure_run(surveyed: Surveyed, log: VisitLog, goals: Mapping[str, float | None] | None = None) -> Measured:
    """All that a cell says of a run; what became of the goals pursued (`GoalNotes`) stands among its figures.

    | figure                | is                                                                                   |
    |-----------------------|--------------------------------------------------------------------------------------|
    | `coverage`            | share of the reachable cells that were met                                           |
    | `coverage_area`       | area under its curve over steps, as a share                                          |
    | `pose_coverage`       | share of reachable cells × octants of the heading                                    |
    | `combinations`        | combinations of cell, octant, distance ahead and object in view, counted             |
    | `first_reward`        | steps to the first reward of the level's own; None if there was none                 |
    | `first_reward_capped` | the same, the run's length where there was none                                      |
    | `episodes`            | that ended                                                                           |
    | `success`             | share of successes among the last quarter of them                                    |
    | `steps_per_second`    | wall clock, learning included                                                        |
    | `walk_to_goal`        | metres from the start to the goal                                                    |
    """
    ground, views, steps, total = surveyed.ground, log.views, log.steps, log.total
    cells = cell_coverage(ground, views.places, steps, total=total)
    turned = coverage(poses(ground, views), steps, count=ground.count * OCTANTS, total=total)
    combined = combinations(ground, views)
    known = combined >= 0
    first_met = np.sort(np.unique(combined[known], return_index=True)[1])
    met_at = steps[known][first_met]
    first = steps_to_first(log.rewards > 0)
    at = np.linspace(0, total, POINTS).round().astype(np.int64)
    figures: dict[str, float | None] = {
        "coverage": cells.share,
        "coverage_area": cells.area,
        "pose_coverage": turned.share,
        "combinations": float(len(met_at)),
        "first_reward": None if first is None else float(first),
        "first_reward_capped": float(total if first is None else first),
        "episodes": float(log.ended.sum()),
        "success": _late_success(log),
        "steps_per_second": total / float(log.seconds[-1]),
        "walk_to_goal": surveyed.walk,
        **(goals or {}),
    }
    series: dict[str, Any] = {
        "steps": at,
        "seconds": np.interp(at, np.arange(len(log.seconds) + 1) * log.rewards.shape[1], [0.0, *log.seconds]).round(2),
        "coverage_curve": cells.curve(at).round(5),
        "pose_curve": turned.curve(at).round(5),
        "combinations_curve": np.searchsorted(met_at, at, side="right"),
        **to_series(surveyed, cells),
    }
    return Measured(figures=figures, series=series)


def _late_success(log: VisitLog) -> float | None:
    """Of the last episodes to end; None if none did."""
    ended = log.succeeded[log.ended]
    late = ended[len(ended) - max(1, round(LATE * len(ended))) :] if len(ended) else ended
    return float(late.mean()) if len(late) else None
