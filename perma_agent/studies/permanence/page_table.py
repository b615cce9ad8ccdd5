"""The page's tables: every measure of every arm on a ground, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import Table
from perma_agent.studies.page_parts import NO_VALUE, estimate_text
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.page_arms import Arms

BEST = "★"
"""Beside the greatest mean of a column."""
SCORES: Mapping[str, str] = {
    "DCI disentanglement": "dci_disentanglement",
    "DCI completeness": "dci_completeness",
    "DCI informativeness": "dci_informativeness",
    "MCC (Spearman)": "mcc_spearman",
    "MCC (Pearson)": "mcc_pearson",
    "MIG": "mig",
}
"""Heading and figure; more is better."""
MORE_SCORES: Mapping[str, str] = {
    "MIG-sup": "mig_sup",
    "SAP": "sap",
    "FactorVAE": "factor_vae",
    "BetaVAE": "beta_vae",
    "modularity": "modularity",
    "explicitness": "explicitness",
    "DCI disentanglement (forests)": "dci_forest_disentanglement",
}
CHANGE: Mapping[str, str] = {
    "normalised permanence": "permanence",
    "of noise": "permanence_of_noise",
    "slowness": "slowness",
    "Gini of change": "gini_of_change",
    "active units": "active_units",
    "reconstruction": "loss/reconstruction",
}
"""Heading and figure; neither more nor less is better by itself."""


def tables(arms: Arms) -> list[Table]:
    """Scores, further scores, and how codes change and what they cost; none of what no arm has."""
    made = [
        _table(
            arms,
            SCORES,
            f"What is led with, in [0, 1]: more is better, {BEST} marks the greatest mean. Weights were chosen on "
            "other seeds.",
            first={"weight": _weight},
            digits=3,
            best=True,
        ),
        _table(arms, MORE_SCORES, f"Other scores, in [0, 1]; {BEST} marks the greatest mean.", digits=3, best=True),
        _table(
            arms,
            CHANGE,
            "How codes change from one frame of a pair to the other, and what they cost. Normalised permanence is 0 "
            "where one latent changes at a time and 1 where all change alike; Gaussian noise scores as told beside it. "
            "Slowness is 0 for a frozen code, 2 for unrelated frames. Reconstruction in nats a frame.",
            digits=2,
            last={"minutes": _minutes},
        ),
    ]
    return [table for table in made if table is not None]


def _table(
    arms: Arms,
    columns: Mapping[str, str],
    caption: str,
    *,
    digits: int,
    best: bool = False,
    first: Mapping[str, Callable[[Sequence[Cell]], str]] | None = None,
    last: Mapping[str, Callable[[Sequence[Cell]], str]] | None = None,
) -> Table | None:
    values = {
        heading: {arm: _seeds(cells, figure) for arm, cells in arms.items()} for heading, figure in columns.items()
    }
    values = {heading: found for heading, found in values.items() if any(len(seeds) for seeds in found.values())}
    if not values:
        return None
    leaders = {heading: _leader(found) for heading, found in values.items()} if best else {}
    rows = []
    for arm, cells in arms.items():
        texts = [
            estimate_text(found[arm], digits=digits) + (f" {BEST}" if leaders.get(heading) == arm else "")
            for heading, found in values.items()
        ]
        rows.append(
            (
                ARMS[arm].title,
                len(cells),
                *(make(cells) for make in (first or {}).values()),
                *texts,
                *(make(cells) for make in (last or {}).values()),
            )
        )
    header = ("arm", "seeds", *(first or {}), *values, *(last or {}))
    return Table(header=header, rows=rows, caption=f"{caption} Means over seeds with 95% intervals.")


def _seeds(cells: Sequence[Cell], figure: str) -> np.ndarray:
    return np.array([value for cell in cells if (value := cell.figures.get(figure)) is not None], dtype=np.float64)


def _leader(found: Mapping[str, np.ndarray]) -> str | None:
    """The arm of the greatest mean; None where there is nothing to compare."""
    means = {arm: float(values.mean()) for arm, values in found.items() if len(values)}
    return max(means, key=lambda arm: means[arm]) if len(means) > 1 else None


def _weight(cells: Sequence[Cell]) -> str:
    """The weight that an arm was run with."""
    weights = sorted({weight for cell in cells if (weight := cell.figures.get("weight")) is not None})
    return ", ".join(f"{weight:g}" for weight in weights) or NO_VALUE


def _minutes(cells: Sequence[Cell]) -> str:
    return estimate_text(np.array([cell.seconds / 60 for cell in cells]), digits=1)
