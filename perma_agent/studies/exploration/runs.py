"""Runs: one cell of the study each, from a level and an arm to what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perma_agent.studies.collecting import Wanderer
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.explorer import Advance, Explorer, ExplorerConfig, Paid
from perma_agent.studies.exploration.grounds import LEVELS, Surveyed, make_explored, survey
from perma_agent.studies.exploration.measuring import measure_run
from perma_agent.studies.exploration.vases import vase_folder
from perma_agent.studies.exploration.visit_recorder import VisitRecorder
from perma_agent.studies.planned_cell import Measured


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one cell does."""

    level: str
    """One of `LEVELS`."""
    arm: str
    """One of `ARMS`."""
    weight: float
    """Of the bonus."""
    extrinsic: float
    """Of the level's own reward."""
    explorer: ExplorerConfig
    """PPO."""
    seed: int
    """Of the map, the agent and the bonus."""

    @property
    def paid(self) -> Paid:
        """What the agent is paid for."""
        return Paid(arm=ARMS[self.arm], weight=self.weight, extrinsic=self.extrinsic)


def explore(run: Run, folder: Path, advance: Advance) -> Measured:
    """Explore a level, seen through a VASE that has lived elsewhere.

    Args:
        run: what to do.
        folder: of the VASEs.
        advance: told of steps.

    Raises:
        LevelError: the level cannot be made.
        RunFolderError: the VASE is missing.
    """
    surveyed = survey(LEVELS[run.level], run.seed)
    if ARMS[run.arm].blind:
        return wander(surveyed, run, advance)
    explorer = Explorer(surveyed, vase_folder(folder, run.level), paid=run.paid, config=run.explorer, seed=run.seed)
    try:
        goals = explorer.explore(advance)
        return measure_run(surveyed, explorer.recorder.log(), goals)
    finally:
        explorer.close()


def wander(surveyed: Surveyed, run: Run, advance: Advance) -> Measured:
    """Wander about in a level without looking, for as many steps."""
    copies = run.explorer.copies
    recorder = VisitRecorder(make_explored(surveyed, copies=copies))
    try:
        recorder.reset()
        wanderer = Wanderer(copies, rng=np.random.default_rng(run.seed))
        for _ in range(-(-run.explorer.steps // copies)):
            recorder.step(wanderer())
            advance(float(copies))
        return measure_run(surveyed, recorder.log())
    finally:
        recorder.close()


def transfer(run: Run, before: str, folder: Path, advance: Advance) -> Measured:
    """Explore another level first, then be dropped into this one: only what comes then is measured.

    Policy, its optimiser, and all that the bonus has learnt are carried over; both levels are seen through one VASE.

    Args:
        run: in the second level; the first is explored as long.
        before: one of `LEVELS`, with the same VASE.
        folder: of the VASEs.
        advance: told of the steps in both.

    Raises:
        ValueError: the two levels are seen through different VASEs.
        LevelError: a level cannot be made.
        RunFolderError: the VASE is missing.
    """
    first, second = LEVELS[before], LEVELS[run.level]
    if first.vase != second.vase:
        raise ValueError(f"expected two levels with one VASE, got {first.vase!r} and {second.vase!r}")
    vase = vase_folder(folder, before)
    explorer = Explorer(survey(first, run.seed), vase, paid=run.paid, config=run.explorer, seed=run.seed)
    try:
        explorer.explore(advance)
        surveyed = survey(second, run.seed)
        explorer.move_to(surveyed, vase_folder(folder, run.level), seed=run.seed)
        goals = explorer.explore(advance)
        return measure_run(surveyed, explorer.recorder.log(), goals)
    finally:
        explorer.close()
