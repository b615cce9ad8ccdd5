"""The page's section on permanence inside VASE: what a weight changes in the paper's lives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import ArmScore, Table, arm_scores
from perma_agent.studies.page_parts import Drawn, Part, estimate_text, of_arm, seeds_in_words
from perma_agent.studies.permanence.vase import DEFAULT
from perma_agent.studies.seed_rows import interval, seeds_of

ARM = re.compile(rf"vase-(\d[\d.e+-]*|{DEFAULT})")
"""Cells of an arm: `vase-0`, `vase-5`, by their weights, and `vase-default`."""
ALONE = "VASE alone"
PANELS: Mapping[str, tuple[str, float]] = {
    "homology": ("homology/score", 1.0),
    "change of accuracy (points)": ("accuracy/mean/final_less_best", 100.0),
    "change of position MSE (1e-4)": ("position_mse/mean/final_less_best", 1e4),
}
"""Title, figure, and what it is multiplied by."""
ROWS: Mapping[str, tuple[str, float]] = {
    "homology of position latents, in [0, 1]": ("homology/score", 1.0),
    "share of places told by the same latent": ("homology/same_latent", 1.0),
    "places read off the whole code": ("homology/code_reading", 1.0),
    "best accuracy (%)": ("accuracy/mean/best", 100.0),
    "change of accuracy (points)": ("accuracy/mean/final_less_best", 100.0),
    "least position MSE (1e-4)": ("position_mse/mean/best", 1e4),
    "change of position MSE (1e-4)": ("position_mse/mean/final_less_best", 1e4),
    "latents in use": ("latents/used", 1.0),
    "environments told right (1: yes)": ("inference/right", 1.0),
}
LATENTS = "latents/"


def vase(cells: Sequence[Cell]) -> list[Part]:
    """Lives with and without permanence (`vase`), and a table of them."""
    found = {match[1]: cell.arm for cell in cells if (match := ARM.fullmatch(cell.arm))}
    arms = {_name(name): found[name] for name in sorted(found, key=_weight)}
    if not arms:
        return []
    table = _table(cells, arms)
    panels = {
        title: scores
        for title, (figure, scale) in PANELS.items()
        if (scores := _scores(cells, arms, figure, scale=scale))
    }
    if not panels:
        return [table]
    lived = [cell for arm in arms.values() for cell in of_arm(cells, arm)]
    drawn = Drawn(
        name="vase",
        figure=arm_scores(panels, names=("with permanence", "without"), best=False),
        alt="Homology, change of accuracy and change of position error of VASE with and without permanence",
        caption="VASE lives through the paper's three worlds, its batches drawn in pairs of one object at two places, "
        "with the permanence term named at the left. Homology: whether the places of objects are read off the same "
        "latents in both moving worlds, 1 at most. Changes are final less best: nearer to 0 is less forgotten.",
        seeds=seeds_in_words(lived),
    )
    return [drawn, table]


def _weight(name: str) -> float:
    """By which arms are sorted: weights, then the default."""
    return math.inf if name == DEFAULT else float(name)


def _name(name: str) -> str:
    if name == DEFAULT:
        return "the learner's default"
    return f"weight {float(name):g}" if float(name) else ALONE


def _scores(cells: Sequence[Cell], arms: Mapping[str, str], figure: str, *, scale: float) -> list[ArmScore]:
    made = []
    for name, arm in arms.items():
        values = seeds_of(cells, arm, figure, scale=scale)
        if len(values):
            ours = name != ALONE
            made.append(ArmScore(arm=name, estimate=interval(values), seeds=values.tolist(), ours=ours))
    return made


def _table(cells: Sequence[Cell], arms: Mapping[str, str]) -> Table:
    figures = {name for arm in arms.values() for cell in of_arm(cells, arm) for name in cell.figures}
    worlds = sorted(name for name in figures if name.startswith(LATENTS) and name != f"{LATENTS}used")
    rows = {**ROWS, **{f"latents in use by {name.removeprefix(LATENTS)}": (name, 1.0) for name in worlds}}
    return Table(
        header=("", *(f"{name}, {len(of_arm(cells, arm))} seeds" for name, arm in arms.items())),
        rows=[
            (words, *(estimate_text(seeds_of(cells, arm, figure, scale=scale)) for arm in arms.values()))
            for words, (figure, scale) in rows.items()
            if figure in figures
        ],
        caption="Lives of VASE. Means over seeds with 95% intervals.",
    )
