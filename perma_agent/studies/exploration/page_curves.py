"""The page's curves of coverage, over steps and over wall clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import CoverageSeries, coverage_curves
from perma_agent.evaluation.report.style import ARMS as COLOURS
from perma_agent.evaluation.report.style import MUTED
from perma_agent.studies.exploration.arms import ARMS, OURS, PLAIN
from perma_agent.studies.exploration.cell_names import MODES, levels_of, runs_of
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.page_parts import Drawn, seeds_in_words

BLIND = "#aa4499"
"""Of who learns nothing; Tol's purple."""
TITLES = [arm.title for arm in ARMS.values()]
COLOUR_OF = {
    **{title: COLOURS[place % len(COLOURS)] for place, title in enumerate(TITLES)},
    ARMS[PLAIN].title: MUTED,
    **{arm.title: BLIND for arm in ARMS.values() if arm.blind},
}
"""Of each arm, the same in all figures of the study; but the leading one is drawn in ink."""
NOT_SEEN = (
    "Imagination and Skew-Fit show the policy what it lacks of their goal, beside the latents; all others see the "
    "latents alone. Count is told the agent's true place: an oracle. The wanderer learns nothing and looks at nothing."
)


def draw_curves(cells: Sequence[Cell], mode: str) -> list[Drawn]:
    """Coverage of a mode over steps, and over time; none if there are no runs."""
    levels = levels_of(cells, mode)
    if not levels:
        return []
    seeds = seeds_in_words([cell for level in levels for cell in _all(cells, mode, level)])
    leading = ARMS[OURS].title
    over_steps = {
        LEVELS[level].title: {ARMS[arm].title: _by_steps(runs) for arm, runs in runs_of(cells, mode, level).items()}
        for level in levels
    }
    over_time = {
        LEVELS[level].title: {ARMS[arm].title: _by_time(runs) for arm, runs in runs_of(cells, mode, level).items()}
        for level in levels
    }
    words = MODES[mode]
    return [
        Drawn(
            name=f"coverage_{mode}",
            figure=coverage_curves(over_steps, along="steps", leading=leading, colours=COLOUR_OF),
            alt=f"Share of reachable cells met over steps, {words}, one panel a level, one line an arm.",
            caption=(
                f"Coverage at equal steps, {words}: interquartile mean over seeds, shaded its 95% bootstrap interval "
                f"where there are three or more. {NOT_SEEN}"
            ),
            seeds=seeds,
        ),
        Drawn(
            name=f"coverage_{mode}_wall_clock",
            figure=coverage_curves(over_time, along="seconds", leading=leading, colours=COLOUR_OF),
            alt=f"The same over wall-clock seconds, {words}.",
            caption=(
                f"The same runs over wall clock, {words}, levels, encoder, bonus and PPO together; a line ends where "
                "the quickest seed of its arm was done. Two runs shared the machine, so seconds scatter."
            ),
            seeds=seeds,
        ),
    ]


def _all(cells: Sequence[Cell], mode: str, level: str) -> list[Cell]:
    return [cell for runs in runs_of(cells, mode, level).values() for cell in runs]


def _by_steps(runs: Sequence[Cell]) -> CoverageSeries:
    curves = np.array([cell.series["coverage_curve"] for cell in runs], dtype=np.float64)
    return CoverageSeries(at=np.array(runs[0].series["steps"], dtype=np.float64), shares=curves)


def _by_time(runs: Sequence[Cell]) -> CoverageSeries:
    """Curves at common moments, up to where the first of them ends."""
    ends = [float(cell.series["seconds"][-1]) for cell in runs]
    at = np.linspace(0.0, min(ends), len(runs[0].series["steps"]))
    curves = [np.interp(at, cell.series["seconds"], cell.series["coverage_curve"]) for cell in runs]
    return CoverageSeries(at=at, shares=np.array(curves))
