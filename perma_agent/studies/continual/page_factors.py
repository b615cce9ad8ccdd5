"""The page's figure of sprites whose factors open one after another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import FactorSeries, factor_curves
from perma_agent.studies.page_parts import Drawn, Part, means_table, of_arm, seeds_in_words

NAMES: Mapping[str, str] = {
    "factors-sda": "SDA",
    "factors-sda-entangled": "SDA entangled",
    "factors-none": "none (CCI-VAE)",
    "factors-at-once": "CCI-VAE, all at once",
}
"""Of arms."""
ROWS: Mapping[str, str] = {
    "MIG at the end": "mig_mean",
    "MIG-sup at the end": "mig_sup",
    "DCI disentanglement at the end": "dci_disentanglement",
    "DCI completeness at the end": "dci_completeness",
    "largest drop of a factor's MIG": "mig_drop",
    "the same on frames of its own world": "mig_drop_home",
    "share of factors still held by their latent": "kept_latents",
    "worlds told apart": "worlds_found",
    "environments made up": "spurious",
}


def factors(cells: Sequence[Cell]) -> list[Part]:
    """Disentanglement of the factors open so far throughout the lives of each arm (`factors`), and their ends."""
    lives = {arm: found for arm in NAMES if (found := of_arm(cells, arm))}
    if not lives:
        return []
    lived = [cell for found in lives.values() for cell in found]
    settings = lived[0].settings
    drawn = Drawn(
        name="factors",
        figure=factor_curves(
            {NAMES[arm]: [_series(cell) for cell in found] for arm, found in lives.items()},
            openings=_openings(settings["opens"], settings["steps"]),
            batches=sum(settings["steps"]),
        ),
        alt="MIG, MIG-sup and DCI of the factors open so far, and MIG of each factor, by batch",
        caption="Sprites of which more factors vary from world to world. Scores fall when a factor opens (dashed) and "
        "should climb back; what a factor's own panel had reached should not be lost when others open. A setting of "
        "later work (CUDOS, Li et al. 2023), not of the paper.",
        seeds=seeds_in_words(lived),
    )
    table = means_table(
        cells,
        columns={NAMES[arm]: arm for arm in lives},
        rows={words: [figure] * len(lives) for words, figure in ROWS.items()},
        caption="How disentangled the code is at the end of life, and what was lost on the way.",
    )
    return [drawn] if table is None else [drawn, table]


def _openings(opens: Sequence[Sequence[str]], steps: Sequence[int]) -> dict[str, int]:
    """The first batch in which each factor varies."""
    starts = [1 + before for before in itertools.accumulate(steps, initial=0)]
    return {name: start for names, start in zip(opens, starts, strict=False) for name in names}


def _series(cell: Cell) -> FactorSeries:
    series = cell.series
    return FactorSeries(
        steps=np.array(series["steps"]),
        mig=np.array(series["mig_mean"], dtype=np.float64),
        mig_sup=np.array(series["mig_sup"], dtype=np.float64),
        dci=np.array(series["dci_disentanglement"], dtype=np.float64),
        factors={name: np.array(values, dtype=np.float64) for name, values in series["mig"].items()},
    )
