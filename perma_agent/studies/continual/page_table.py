"""The page's table 1: what each arm reached and lost, beside what the paper reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import AblationRow, Table, Text, ablation_chart
from perma_agent.studies.continual.config import ARMS, ENTANGLED
from perma_agent.studies.continual.page_parts import arm_name
from perma_agent.studies.continual.rows import ACCURACY, DEFINITIONS, POSITION, Measure
from perma_agent.studies.page_parts import Drawn, Part, estimate_text, of_arm, seeds_in_words
from perma_agent.studies.seed_rows import interval, seeds_of

Reported = tuple[float, float]
"""A figure and its ±, as the paper prints them."""
PAPERS_WORLDS = ("moving-fashion", "mnist", "moving-mnist")
PAPER: Mapping[str, tuple[Reported, Reported, Reported, Reported]] = {
    "sda": ((88.6, 0.4), (-5.4, 0.3), (3.2, 0.03), (3.0, 0.2)),
    "sd": ((88.3, 0.3), (-12.9, 1.9), (3.4, 0.05), (20.0, 3.5)),
    "da": ((86.3, 2.5), (-25.2, 0.5), (3.3, 0.04), (72.2, 90.0)),
    "sa": ((87.1, 1.8), (-28.1, 0.08), (3.3, 0.04), (78.9, 109.0)),
    "s": ((88.9, 0.5), (-13.9, 1.9), (3.4, 0.05), (22.5, 12.2)),
    "d": ((88.6, 0.3), (-14.4, 1.9), (3.3, 0.04), (21.4, 4.9)),
    "a": ((86.7, 1.9), (-24.5, 1.0), (3.3, 0.04), (67.6, 107.0)),
    "none": ((88.6, 0.4), (-15.2, 2.8), (3.5, 0.05), (24.8, 13.5)),
    "sda-entangled": ((91.5, 0.1), (-6.5, 0.7), (4.2, 0.4), (3.9, 1.1)),
    "sd-entangled": ((91.4, 0.3), (-11.7, 0.6), (4.3, 0.5), (11.6, 1.9)),
    "sd-encoder-entangled": ((91.9, 0.1), (-11.6, 1.1), (4.7, 0.8), (10.2, 1.8)),
    "da-entangled": ((88.8, 0.3), (-19.4, 0.4), (4.6, 0.7), (40.2, 19.2)),
    "sa-entangled": ((89.9, 1.3), (-18.3, 0.4), (4.8, 0.7), (41.8, 20.6)),
    "s-entangled": ((91.7, 0.4), (-12.2, 0.03), (4.5, 0.8), (10.9, 3.1)),
    "d-entangled": ((91.8, 0.4), (-12.4, 0.7), (4.3, 0.7), (11.7, 3.2)),
    "a-entangled": ((88.6, 0.3), (-19.7, 0.5), (4.5, 0.7), (47.1, 26.2)),
    "none-entangled": ((91.8, 0.4), (-12.1, 0.8), (4.2, 0.7), (10.5, 2.6)),
}
"""By arm: best accuracy (%), its change, least position MSE (1e-4), its change. Source: Achille et al., Life-long
disentangled representation learning with cross-domain latent homologies (NeurIPS 2018, arXiv 1808.06508), table 1."""
CHANGES = ("(i)", "(ii)", "(iii)")
"""Of `DEFINITIONS`, in their order."""


def ablation(cells: Sequence[Cell]) -> list[Part]:
    """The ablation's figure and table 1 of the arms that were lived."""
    arms = [arm for base in ARMS for arm in (base, base + ENTANGLED) if _measured(cells, arm)]
    if not arms:
        return []
    lived = [cell for arm in arms for cell in of_arm(cells, f"three-{arm}")]
    worlds = tuple(world["name"] for world in lived[0].series["worlds"])
    compared = worlds == PAPERS_WORLDS
    rows = [_row(cells, arm) for arm in arms]
    told = (
        "Hollow: the paper's table 1, at 64x64 pixels and on lives of another length."
        if compared
        else f"The worlds are {', '.join(worlds)}, not the paper's, so its numbers do not stand beside."
    )
    figure = Drawn(
        name="ablation",
        figure=ablation_chart(rows, paper=_papers_changes(rows) if compared else None),
        alt="Change of accuracy and of position error by arm",
        caption="What each arm lost of what its probes could read, final less best; nearer to 0 is less forgotten. "
        "S: environments inferred, D: dreams, A: latent masks; none is CCI-VAE, entangled a plain VAE. Dots are means "
        f"over seeds with 95% intervals, strokes single seeds. {told} The paper's table 1.",
        seeds=seeds_in_words(lived),
    )
    return [figure, Text(text=_reading(compared)), *(_table(cells, arms, measure, compared) for measure in _MEASURES)]


_MEASURES: Mapping[Measure, tuple[str, str]] = {
    ACCURACY: ("Objects: accuracy in points, mean over the classifiers of the worlds.", "best (%)"),
    POSITION: ("Places: mean squared error of the position in 1e-4 of its squared range.", "least (1e-4)"),
}
"""Caption, and heading of the best value."""


def _reading(compared: bool) -> str:
    words = "; ".join(f"{mark} {told}" for mark, told in zip(CHANGES, DEFINITIONS.values(), strict=True))
    paper = (
        " The paper does not say which its change is; its columns stand beside (i), with its own ±, which it does not "
        "explain either."
    )
    return f"Change has three readings, and all are given: {words}.{paper if compared else ''}"


def _table(cells: Sequence[Cell], arms: Sequence[str], measure: Measure, compared: bool) -> Table:
    caption, best = _MEASURES[measure]
    header = ["arm", "seeds", best, *(f"change {mark}" for mark in CHANGES)]
    rows: list[list[object]] = []
    for arm in arms:
        values = {name: _values(cells, arm, measure, name) for name in ("best", *DEFINITIONS)}
        rows.append([arm_name(arm), len(values["best"]), *map(estimate_text, values.values())])
        if compared:
            reported = PAPER.get(arm)
            pair = (None, None) if reported is None else reported[:2] if measure is ACCURACY else reported[2:]
            rows[-1][4:4] = [_reported(pair[1])]
            rows[-1][3:3] = [_reported(pair[0])]
    if compared:
        header[4:4] = ["paper's change"]
        header[3:3] = ["paper's"]
    return Table(header=header, rows=rows, caption=f"{caption} Means over seeds with 95% intervals.")


def _reported(figure: Reported | None) -> str:
    return "–" if figure is None else f"{figure[0]:g} ± {figure[1]:g}"


def _row(cells: Sequence[Cell], arm: str) -> AblationRow:
    accuracy, position = (_values(cells, arm, measure, "final_less_best") for measure in _MEASURES)
    both = zip(accuracy.tolist(), position.tolist(), strict=False)
    return AblationRow(
        arm=arm_name(arm.removesuffix(ENTANGLED)).removesuffix(" (CCI-VAE)"),
        entangled=arm.endswith(ENTANGLED),
        accuracy=interval(accuracy),
        position=interval(position),
        seeds=list(both) if len(accuracy) > 1 else (),
    )


def _papers_changes(rows: Sequence[AblationRow]) -> dict[tuple[str, bool], tuple[float, float]]:
    names = {
        (arm_name(arm.removesuffix(ENTANGLED)).removesuffix(" (CCI-VAE)"), arm.endswith(ENTANGLED)): reported
        for arm, reported in PAPER.items()
    }
    return {key: (reported[1][0], reported[3][0]) for key, reported in names.items()}


def _measured(cells: Sequence[Cell], arm: str) -> bool:
    return all(len(_values(cells, arm, measure, "final_less_best")) for measure in _MEASURES)


def _values(cells: Sequence[Cell], arm: str, measure: Measure, name: str) -> np.ndarray:
    return seeds_of(cells, f"three-{arm}", f"{measure.key}/{name}", scale=measure.scale)
