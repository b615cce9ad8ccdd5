"""Cells of the study made up by hand, so that rows and pages are tested without a level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.coverage import coverage
from perma_agent.evaluation.reachable import Ground
from perma_agent.studies.exploration.grounds import LEVELS, Surveyed
from perma_agent.studies.exploration.measuring import POINTS
from perma_agent.studies.exploration.visit_map import to_series

TOTAL = 400


@pytest.fixture
def surveyed() -> Surveyed:
    """Two rows of ten cells, of which all but the last two are reached."""
    walks = np.full((10, 2), 1.0)
    walks[9] = np.inf
    walls = np.array([[[0.0, 0.0], [5.0, 0.0]], [[5.0, 0.0], [5.0, 1.0]], [[0.0, 1.0], [5.0, 1.0]]])
    ground = Ground(corner=(0.0, 0.0), cell=0.5, walks=walks, walls=walls)
    return Surveyed(
        level=LEVELS["indoor-maze"],
        seed=0,
        episode=0,
        ground=ground,
        start=(0.25, 0.25),
        goal=(4.75, 0.5),
        walk=4.5,
    )


@pytest.fixture
def make_cell(surveyed: Surveyed) -> Callable[..., Cell]:
    """Makes the cell of a run that met so many of the 18 cells, one after another."""

    def make(
        arm: str, *, seed: int = 0, met: int = 9, first: float | None = None, name: str = "rnd", weight: float = 1.0
    ) -> Cell:
        steps = np.linspace(0, TOTAL, met).round().astype(np.int64)
        covered = coverage(np.arange(met), steps, count=surveyed.ground.count, total=TOTAL)
        at = np.linspace(0, TOTAL, POINTS).round().astype(np.int64)
        return Cell(
            study="exploration",
            arm=arm,
            seed=seed,
            settings={"preset": "test", "arm": name, "weight": weight},
            figures={
                "coverage": covered.share,
                "coverage_area": covered.area,
                "pose_coverage": covered.share / 2,
                "combinations": float(met),
                "first_reward": first,
                "first_reward_capped": float(TOTAL if first is None else first),
                "success": 0.0 if first is None else 1.0,
                "steps_per_second": 100.0 + seed,
            },
            series={
                "steps": at,
                "seconds": at / (100.0 + seed),
                "coverage_curve": covered.curve(at),
                **to_series(surveyed, covered),
            },
            seconds=4.0,
            commit="test",
        )

    return make
