"""The page's figures of codes: which latents move with which factor, how they correlate, and what each one draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import CodeTraversals, FactorMap, arm_traversals, factor_maps, tiles_from_text
from perma_agent.evaluation.report.arm_traversals import ROWS
from perma_agent.evaluation.report.factor_maps import USED_ABOVE
from perma_agent.evaluation.traversals import TRAVERSED
from perma_agent.studies.page_parts import Drawn
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.page_arms import Arms

COMPARED = 0.3
"""Correlation from which a latent's row is named after a factor."""


def draw_changes(arms: Arms, ground: str) -> list[Drawn]:
    """Change heat-maps of one seed of each arm (`<ground>_changes`); none where the world moves as it likes."""
    shown = _one_seed(arms, lambda series: bool(series.get("moved")))
    if not shown:
        return []
    figure = factor_maps(
        [_map(arm, cell, np.array(cell.series["moved"])) for arm, cell in shown.items()],
        _factors(shown),
        label="mean |Δ| in std",
    )
    return [
        Drawn(
            name=f"{ground}_changes",
            figure=figure,
            alt="Which latents move when one factor alone moves, a heat-map an arm",
            caption="Two frames between which the factor of the row alone changes: how far each latent moves, in "
            "standard deviations of its own. Permanence asks for one dark field in a row. Latents are sorted by "
            f"information; those of less than {USED_ABOVE:g} nats are faint.",
            seeds=_seeds(shown),
        )
    ]


def draw_correlations(arms: Arms, ground: str) -> list[Drawn]:
    """Correlation of latents and factors in one seed of each arm (`<ground>_correlations`)."""
    shown = _one_seed(arms, lambda series: bool(series.get("correlation")))
    if not shown:
        return []
    figure = factor_maps(
        [_map(arm, cell, _correlation(cell)) for arm, cell in shown.items()],
        _factors(shown),
        label="|Spearman's correlation|",
        greatest=1.0,
    )
    return [
        Drawn(
            name=f"{ground}_correlations",
            figure=figure,
            alt="Rank correlation of factors and latents, a heat-map an arm",
            caption="What MCC is made of: it takes one latent for each factor, no latent twice, and averages over the "
            "factors. The order of the latents is by information, as above.",
            seeds=_seeds(shown),
        )
    ]


def draw_traversals(arms: Arms, ground: str) -> list[Drawn]:
    """Traversals of the latents in use, from one frame, one seed of each arm (`<ground>_traversals`)."""
    shown = _one_seed(arms, lambda series: "sheet" in series)
    if not shown:
        return []
    return [
        Drawn(
            name=f"{ground}_traversals",
            figure=arm_traversals([_block(arm, cell) for arm, cell in shown.items()], values=TRAVERSED),
            alt="Traversals of the latents in use, a block an arm",
            caption=f"Each row sets one latent to values from {TRAVERSED[0]:g} to {TRAVERSED[-1]:g} and leaves the "
            "others as they are for a test frame. Rows are sorted by information and named after the factor that the "
            "latent correlates with most; arms without a decoder draw nothing.",
            seeds=_seeds(shown),
        )
    ]


def _one_seed(arms: Arms, has: Any) -> dict[str, Cell]:
    """The cell of the smallest seed of each arm whose series have what is wanted."""
    found = {arm: next((cell for cell in cells if has(cell.series)), None) for arm, cells in arms.items()}
    return {arm: cell for arm, cell in found.items() if cell is not None}


def _seeds(shown: Mapping[str, Cell]) -> str:
    return ", ".join(map(str, sorted({cell.seed for cell in shown.values()})))


def _factors(shown: Mapping[str, Cell]) -> Sequence[str]:
    names: Sequence[str] = next(iter(shown.values())).series["factors"]
    return names


def _map(arm: str, cell: Cell, values: np.ndarray) -> FactorMap:
    return FactorMap(title=ARMS[arm].title, values=values, information=np.array(cell.series["information"]))


def _correlation(cell: Cell) -> np.ndarray:
    """Shape `[K, D]`."""
    return np.abs(np.array(cell.series["correlation"], dtype=np.float64)).T


def _block(arm: str, cell: Cell) -> CodeTraversals:
    series = cell.series
    frames = tiles_from_text(series["sheet"], rows=series["sheet_rows"], columns=series["sheet_columns"])
    information = np.array(series["information"])
    order = np.argsort(-information, kind="stable")
    used = order[: max(1, int((information > USED_ABOVE).sum()))]
    shown = used[:ROWS]
    correlation = _correlation(cell)
    unused, more = len(order) - len(used), len(used) - len(shown)
    note = ", ".join(
        words for words in (f"{more} more in use" if more else "", f"{unused} unused" if unused else "") if words
    )
    return CodeTraversals(
        title=ARMS[arm].title,
        frames=frames[shown],
        names=[_named(latent, correlation[:, latent], series["factors"]) for latent in shown],
        note=note,
    )


def _named(latent: int, correlation: np.ndarray, factors: Sequence[str]) -> str:
    """E.g. `z3  hue .92`."""
    best = int(correlation.argmax())
    if correlation[best] < COMPARED:
        return f"z{latent}"
    return f"{factors[best]} {correlation[best]:.2f}".replace(" 0.", " .") + f"  z{latent}"
