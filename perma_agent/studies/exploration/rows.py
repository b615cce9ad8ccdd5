"""The rows of the study `exploration`: its bars first, then every figure of every arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Row
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval, iqm
from perma_agent.studies.exploration.arms import ARMS, ORACLE, OURS, PLAIN, RIVAL
from perma_agent.studies.exploration.cell_names import FREE, MODES, SPARSE, levels_of, run_name, runs_of, values_of
from perma_agent.studies.exploration.checks import check_rows
from perma_agent.studies.exploration.figure_5b import figure_5b_rows
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.place_reading import place_rows
from perma_agent.studies.exploration.simplest_case import room_rows
from perma_agent.studies.seed_rows import row_id

UNRUN = "these cells have not been run yet"
GAINS = {RIVAL: 1.5, PLAIN: 2.0}
"""How many times as much as another arm ours must cover on a level for it to count."""
ENOUGH = 3
"""Levels that must count."""
SOONER = 0.5
"""Share of the rival's steps by which the first success must have come."""
FIRST = "first_reward_capped"
RESAMPLED = 10_000
"""Times seeds are drawn again for the interval of a ratio."""
FIGURES = {
    "coverage": "share",
    "coverage_area": "share",
    "pose_coverage": "share",
    "combinations": "",
    FIRST: "steps",
    "success": "share",
    "steps_per_second": "steps/s",
    "goals_reached_first": "share",
    "goals_reached_last": "share",
}
"""Figures of a run that every arm which has them has a row of, and their units."""


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """All rows."""
    return [
        *(levels_beaten(cells, rival) for rival in GAINS),
        first_success(cells),
        *check_rows(cells),
        *figure_5b_rows(cells),
        *place_rows(cells),
        *room_rows(cells),
        *_oracle(cells),
        *_ratios(cells),
        *_weights(cells),
        *_figures(cells),
    ]


def estimate(values: np.ndarray) -> Estimate:
    """Interquartile mean over seeds with a 95% bootstrap interval; exact where there is one seed."""
    return bootstrap_interval(values, iqm, rng=np.random.default_rng(0))


def levels_beaten(cells: Sequence[Cell], rival: str, *, by: str = OURS) -> Row:
    """Levels on which an arm covered so many times as much as a rival at equal steps, the intervals apart.

    A level counts if the ratio of interquartile means is at least `GAINS[rival]` and the lower end of the arm's lies
    above the upper end of the rival's. Only ours has the goal; another arm tells what the goal asks for.
    """
    id, factor = f"levels_beating_{rival}" + ("" if by == OURS else f"_by_{by}"), GAINS[rival]
    goal, beaten, compared = f">= {ENOUGH}" if by == OURS else None, 0, []
    for level in levels_of(cells, FREE):
        ours, theirs = _pair(cells, FREE, level, rival, "coverage", arm=by)
        if not len(ours) or not len(theirs):
            continue
        mine, other = estimate(ours), estimate(theirs)
        counts = mine.value >= factor * other.value and mine.low > other.high
        beaten += counts
        ratio = "∞" if other.value == 0 else f"{mine.value / other.value:.2f}"
        compared.append(f"{LEVELS[level].title} {ratio}" + (" ✓" if counts else ""))
    if not compared:
        return Row.not_measured(id, why=UNRUN, unit="of 4", goal=goal)
    note = (
        f"reward-free coverage of reachable cells at equal steps at least {factor:g} × that of "
        f"{ARMS[rival].title}, interquartile means, intervals apart; ratios: {', '.join(compared)}"
    )
    if by != OURS:
        note = f"{ARMS[by].title} in place of {ARMS[OURS].title}: {note}"
    return Row.of(id, Estimate.exact(float(beaten)), unit="of 4", goal=goal, note=note)


def first_success(cells: Sequence[Cell]) -> Row:
    """Steps to the first reward of ours as a share of the rival's, the geometric mean over levels.

        ratio = exp( 1/L Σ_l ln( IQM of ours_l / IQM of theirs_l ) )

    A run without any reward counts with its whole length, so a ratio of 1 may mean that neither got there. Seeds are
    resampled on each level and for each arm apart.
    """
    id, goal = "first_success_vs_rnd", f"<= {SOONER:g}"
    pairs = [_pair(cells, SPARSE, level, RIVAL, FIRST) for level in levels_of(cells, SPARSE)]
    pairs = [pair for pair in pairs if len(pair[0]) and len(pair[1])]
    if not pairs:
        return Row.not_measured(id, why=UNRUN, goal=goal)
    never = {
        arm: sum(_without_reward(cells, level, arm) for level in levels_of(cells, SPARSE)) for arm in (OURS, RIVAL)
    }
    note = (
        f"geometric mean over {len(pairs)} levels of the ratio of interquartile means; never within the run: "
        f"{', '.join(f'{ARMS[arm].title} {never[arm]}' for arm in never)} of "
        f"{sum(len(ours) for ours, _ in pairs)} and {sum(len(theirs) for _, theirs in pairs)}, counted with its length"
    )
    return _ratio_row(id, pairs, goal=goal, note=note)


def _oracle(cells: Sequence[Cell]) -> list[Row]:
    """Whether a bonus that is told the true place would meet ours' goals: how much there is to win at these steps."""
    return [row for rival in GAINS if (row := levels_beaten(cells, rival, by=ORACLE)).mean is not None]


def _ratios(cells: Sequence[Cell]) -> list[Row]:
    """Coverage of ours over that of each other arm; over those led with also level by level, and so the first reward.

    A level counts where both were run.
    """
    made = []
    for rival in (arm for arm in ARMS if arm != OURS):
        pairs = [_pair(cells, FREE, level, rival, "coverage") for level in levels_of(cells, FREE)]
        pairs = [pair for pair in pairs if len(pair[0]) and len(pair[1])]
        if pairs:
            note = f"geometric mean over {len(pairs)} levels of the ratio of interquartile means, reward-free"
            made.append(_ratio_row(row_id(f"coverage_vs_{rival}"), pairs, note=note))
    for mode, figure, name in ((FREE, "coverage", "coverage"), (SPARSE, FIRST, "first_success")):
        for level in levels_of(cells, mode):
            for rival in (RIVAL, PLAIN):
                pair = _pair(cells, mode, level, rival, figure)
                if len(pair[0]) and len(pair[1]):
                    note = f"{LEVELS[level].title}, {MODES[mode]}; ratio of interquartile means"
                    made.append(_ratio_row(row_id(f"{name}_vs_{rival}_{level}"), [pair], note=note))
    return made


def _ratio_row(
    id: str, pairs: Sequence[tuple[np.ndarray, np.ndarray]], *, goal: str | None = None, note: str = ""
) -> Row:
    rng = np.random.default_rng(0)

    def resampled(values: np.ndarray) -> np.ndarray:
        drawn = values[rng.integers(0, len(values), (RESAMPLED, len(values)))]
        return np.asarray(iqm(drawn, axis=1))

    tiny = 1e-9  # a share of nothing: the ratio is then huge, not a division by zero
    logs = [np.log(max(iqm(ours), tiny) / max(iqm(theirs), tiny)) for ours, theirs in pairs]
    spread = [np.log(np.maximum(resampled(ours), tiny) / np.maximum(resampled(theirs), tiny)) for ours, theirs in pairs]
    value, count = float(np.exp(np.mean(logs))), min(len(part) for pair in pairs for part in pair)
    if count == 1:
        return Row.of(id, Estimate.exact(value), goal=goal, note=note)
    low, high = (float(end) for end in np.exp(np.percentile(np.mean(spread, axis=0), (2.5, 97.5))))
    return Row.of(id, Estimate(value=value, low=low, high=high, n=count), goal=goal, note=note)


def _weights(cells: Sequence[Cell]) -> list[Row]:
    """The weight each bonus was run with."""
    found = {
        str(cell.settings["arm"]): float(cell.settings["weight"])
        for cell in cells
        if cell.arm.startswith(f"{FREE}-") and not ARMS[str(cell.settings["arm"])].blind
    }
    return [
        Row.of(row_id(f"{arm}_weight"), Estimate.exact(weight), note="chosen on other seeds")
        for arm, weight in sorted(found.items())
    ]


def _figures(cells: Sequence[Cell]) -> list[Row]:
    """Figures of every arm in every mode on every level, over its seeds."""
    made = []
    for mode in MODES:
        for level in levels_of(cells, mode):
            for arm, chosen in runs_of(cells, mode, level).items():
                for figure, unit in FIGURES.items():
                    if len(values := values_of(chosen, figure)):
                        id = row_id(f"{run_name(mode, level, arm)}_{figure}")
                        made.append(Row.of(id, estimate(values), unit=unit, note="interquartile mean over seeds"))
    return made


def _pair(
    cells: Sequence[Cell], mode: str, level: str, rival: str, figure: str, *, arm: str = OURS
) -> tuple[np.ndarray, np.ndarray]:
    """A figure of ours, or of another arm, and of a rival's."""
    runs = runs_of(cells, mode, level)
    return values_of(runs.get(arm, []), figure), values_of(runs.get(rival, []), figure)


def _without_reward(cells: Sequence[Cell], level: str, arm: str) -> int:
    """Runs of an arm that never met the level's reward."""
    return sum(cell.figures.get("first_reward") is None for cell in runs_of(cells, SPARSE, level).get(arm, []))
