"""The rows of the study `permanence`: its bars first, then every figure of every arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import BEYOND, Row
from perma_agent.evaluation.separation import INSIDE, OUTSIDE
from perma_agent.evaluation.statistics import Estimate
from perma_agent.studies.permanence.arms import ARMS, BEST, FAMILY
from perma_agent.studies.permanence.metrics_cost import METRICS
from perma_agent.studies.permanence.planning import TUNING
from perma_agent.studies.permanence.tuning import chosen_weight, merit
from perma_agent.studies.seed_rows import difference, row, row_id, seeds_of

POINTS = 100.0
"""DCI and MCC are compared in points."""
GROUNDS = {
    "sprites": "sprites with Laplace transitions",
    "sparse": "sprites of which one factor changes at a time",
    "miniworld": "rollouts of a MiniWorld level",
    "outdoor": "rollouts of an outdoor level, with the weights chosen indoors",
}
"""Comparisons, in words."""
LEADING = {"dci": "dci_disentanglement", "mcc": "mcc_spearman"}
"""The two figures that the study leads with, by their name in row ids."""
CHOSEN_ON = {"outdoor": "miniworld"}
"""Comparisons whose weights and judged member are those of another one."""
ENOUGH = 3
"""Seeds tuned on from which the judged member is chosen by rule."""
JUDGED = (BEST, "memory-direction")
"""Ends of the names of the arms that the article's cases are judged by."""
BETTER = f"> 0{BEYOND}"
"""Of a difference that seeds shall not explain."""
ARM_MINUTES, METRICS_SECONDS = 6, 60
"""Bars of cost."""


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """All rows."""
    return [*_gains(cells), _cases_met(cells), *_costs(cells), *_weights(cells), *_figures(cells)]


def _gains(cells: Sequence[Cell]) -> list[Row]:
    """The judged member of the permanence family, and P_b as the article writes it, beside SlowVAE and β-VAE."""
    made = []
    for judged, ending, goal in ((None, "", BETTER), ("p_b", "_p_b", None)):
        for ground, words in GROUNDS.items():
            arm = judged or judged_member(cells, ground)
            for name, figure in LEADING.items():
                ours, slow = _points(cells, f"{ground}-{arm}", figure), _points(cells, f"{ground}-slowvae", figure)
                note = f"{ARMS[arm].title} less SlowVAE on {words}"
                made.append(
                    difference(f"{ground}_{name}_gain{ending}", ours, slow, unit="points", goal=goal, note=note)
                )
    ours, plain = (_points(cells, f"sprites-{arm}", LEADING["dci"]) for arm in (BEST, "none"))
    note = f"{ARMS[BEST].title} less β-VAE on {GROUNDS['sprites']}"
    made.append(difference("sprites_dci_gain_over_betavae", ours, plain, unit="points", goal=">= 10", note=note))
    return made


def judged_member(cells: Sequence[Cell], ground: str) -> str:
    """The member of the family that a ground is judged by.

    Where all weights of all members were tried on the same seeds, at least `ENOUGH` of them, it is the member whose
    chosen weight has the greatest mean merit there, of equals the first of `FAMILY`; elsewhere `BEST`.
    """
    ground, merits = CHOSEN_ON.get(ground, ground), {}
    for arm in FAMILY:
        tried = [cell for cell in cells if cell.arm.startswith(f"{ground}-{TUNING}-{arm}-")]
        names = {cell.arm for cell in tried}
        seeds = {frozenset(cell.seed for cell in tried if cell.arm == name) for name in names}
        if not tried:
            continue
        if len(seeds) > 1 or len(next(iter(seeds))) < ENOUGH:
            return BEST
        weight = chosen_weight(tried)
        merits[arm] = float(np.mean([merit(cell) for cell in tried if cell.figures["weight"] == weight]))
    return max(merits, key=lambda arm: merits[arm]) if merits else BEST


def _cases_met(cells: Sequence[Cell]) -> Row:
    """The article's cases in which what changes lies in few latents and nowhere else, in the mean over seeds."""
    arms = [arm for arm in sorted({cell.arm for cell in cells}) if arm.startswith("case-") and arm.endswith(JUDGED)]
    note = (
        f"R² of what changes at least {INSIDE} from few latents and at most {OUTSIDE} from all others, means over seeds"
    )
    if not arms:
        return Row.not_measured("article_cases_met", why="these cells have not been run yet", goal=">= 5")
    met = [
        arm
        for arm in arms
        if seeds_of(cells, arm, "inside").mean() >= INSIDE and seeds_of(cells, arm, "outside").mean() <= OUTSIDE
    ]
    return Row.of("article_cases_met", Estimate.exact(float(len(met))), unit="of 5", goal=">= 5", note=note)


def _costs(cells: Sequence[Cell]) -> list[Row]:
    minutes = np.array([cell.seconds / 60 for cell in cells if cell.arm == f"sprites-{BEST}"])
    busy = "wall clock on one core, the other core at work as well"
    return [
        row("arm_minutes", minutes, unit="minutes", goal=f"<= {ARM_MINUTES}", note=f"{busy}; metrics included"),
        row(
            "metrics_seconds",
            seeds_of(cells, METRICS, "seconds"),
            unit="seconds",
            goal=f"<= {METRICS_SECONDS}",
            note="all metrics of 10,000 codes of 10 latents with the default settings, on one core",
        ),
        row(
            "metrics_identical",
            seeds_of(cells, METRICS, "identical"),
            goal=">= 1",
            note="share of seeds with which a second run gave the same figures, bit for bit",
        ),
    ]


def _weights(cells: Sequence[Cell]) -> list[Row]:
    """The weight each arm was run with."""
    chosen = {cell.arm: cell.figures["weight"] for cell in cells if "dci_disentanglement" in cell.figures}
    return [
        row(row_id(f"{arm}_weight"), np.array([weight], dtype=float), note="chosen on other seeds")
        for arm, weight in sorted(chosen.items())
        if weight is not None
    ]


def _figures(cells: Sequence[Cell]) -> list[Row]:
    """Every other figure of every arm, over its seeds."""
    made = []
    for arm in sorted({cell.arm for cell in cells if f"-{TUNING}-" not in cell.arm} - {METRICS}):
        names = sorted({name for cell in cells if cell.arm == arm for name in cell.figures} - {"weight"})
        made += [row(row_id(f"{arm}_{name}"), values) for name in names if len(values := seeds_of(cells, arm, name))]
    return made


def _points(cells: Sequence[Cell], arm: str, figure: str) -> np.ndarray:
    return seeds_of(cells, arm, figure, scale=POINTS)
