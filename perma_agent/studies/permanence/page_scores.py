"""The page's figures of scores: at the end, on the way there, and over the weights that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import (
    ArmScore,
    ScoreSeries,
    WeightsTried,
    arm_scores,
    score_curves,
    weight_search,
)
from perma_agent.studies.page_parts import Drawn, seeds_in_words
from perma_agent.studies.permanence.arms import ARMS, BEST
from perma_agent.studies.permanence.page_arms import OURS, Arms
from perma_agent.studies.permanence.tuning import chosen_weight, merit
from perma_agent.studies.seed_rows import interval

LEADING: Mapping[str, str] = {"DCI disentanglement": "dci_disentanglement", "MCC (Spearman)": "mcc_spearman"}
"""Panels of the figure that readers look at first."""
LOOKED: Mapping[str, str] = {"DCI disentanglement (forests)": "dci_forest", "MCC (Spearman)": "mcc"}
"""Panels of the curves, and the names of the quick looks' series."""


def draw_scores(arms: Arms, ground: str) -> list[Drawn]:
    """DCI and MCC of each arm (`<ground>_scores`)."""
    panels = {
        title: scores
        for title, figure in LEADING.items()
        if (scores := [score for arm, cells in arms.items() if (score := _score(arm, cells, figure)) is not None])
    }
    if not panels:
        return []
    measured = [cell for cells in arms.values() for cell in cells]
    return [
        Drawn(
            name=f"{ground}_scores",
            figure=arm_scores(panels, names=("permanence family", "others"), reference=ARMS["none"].title),
            alt="DCI disentanglement and MCC of each arm",
            caption="Dots are means over seeds with 95% intervals, strokes single seeds; further right is better. All "
            "arms have one network and one budget, and each the weight that did best on other seeds.",
            seeds=seeds_in_words(measured),
        )
    ]


def draw_curves(arms: Arms, ground: str) -> list[Drawn]:
    """The same two on the way (`<ground>_curves`)."""
    looked = {
        arm: found for arm, cells in arms.items() if (found := [cell for cell in cells if cell.series.get("looks")])
    }
    if not looked:
        return []
    return [
        Drawn(
            name=f"{ground}_curves",
            figure=score_curves(
                {ARMS[arm].title: [_series(cell) for cell in cells] for arm, cells in looked.items()},
                leading=ARMS[BEST].title,
            ),
            alt="DCI disentanglement and MCC over training steps, a line an arm",
            caption="Quick looks during training on fewer frames, DCI with random forests, which is comparable with "
            "itself only. Means over seeds; shaded the range over the seeds of the leading member of the family.",
            seeds=seeds_in_words([cell for cells in looked.values() for cell in cells]),
        )
    ]


def draw_weights(tried: Arms, ground: str) -> list[Drawn]:
    """Which weights were tried, and which one was chosen (`<ground>_weights`)."""
    shown = {arm: weights for arm, cells in tried.items() if (weights := _weights(arm, cells)).merits}
    if not shown:
        return []
    return [
        Drawn(
            name=f"{ground}_weights",
            figure=weight_search({ARMS[arm].title: weights for arm, weights in shown.items()}, merit="(DCI + MCC) / 2"),
            alt="Merit of each weight that was tried, a panel an arm",
            caption="The ring marks the weight that an arm is run with: the one of the greatest mean merit, of equals "
            "the smallest. Chosen on seeds that are not reported on; strokes are single seeds where there are more.",
            seeds=seeds_in_words([cell for cells in tried.values() for cell in cells]),
        )
    ]


def _score(arm: str, cells: Sequence[Cell], figure: str) -> ArmScore | None:
    seeds = np.array([value for cell in cells if (value := cell.figures.get(figure)) is not None], dtype=np.float64)
    if not len(seeds):
        return None
    return ArmScore(arm=ARMS[arm].title, estimate=interval(seeds), seeds=seeds.tolist(), ours=arm in OURS)


def _series(cell: Cell) -> ScoreSeries:
    looks = cell.series["looks"]
    return ScoreSeries(
        steps=np.array(looks["step"], dtype=np.int64),
        scores={title: np.array(looks[name], dtype=np.float64) for title, name in LOOKED.items()},
    )


def _weights(arm: str, cells: Sequence[Cell]) -> WeightsTried:
    merits: dict[float, list[float]] = {}
    for cell in cells:
        weight = cell.figures.get("weight")
        if weight:  # 0 has no place on a logarithmic axis
            merits.setdefault(weight, []).append(merit(cell))
    return WeightsTried(
        means=ARMS[arm].means,
        merits={weight: tuple(values) for weight, values in merits.items()},
        chosen=_chosen(arm, cells),
    )


def _chosen(arm: str, cells: Sequence[Cell]) -> float | None:
    """The weight that these cells choose; None while some are missing."""
    seeds, weights = {cell.seed for cell in cells}, {cell.figures["weight"] for cell in cells}
    complete = weights >= set(ARMS[arm].weights) and len(cells) == len(seeds) * len(weights)
    return chosen_weight(cells) if complete else None
