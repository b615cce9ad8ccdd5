"""DCI from random forests: the same scores of another model, faster than `dci` and not comparable with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from perma_agent.evaluation.disentanglement.dci import DCI, dci_of_models
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table, split_rows

ROWS_PER_LEAF = 10
"""Fewest rows in a leaf; fully grown trees would split on noise, and spread importance over unused latents."""


def dci_forest(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    held_out: np.ndarray | None = None,
    settings: Settings = DISENTANGLEMENT_LIB,
    n_jobs: int = 1,
) -> DCI:
    """Predict each factor from the code with a random forest, and see how spread its importances are.

        D and C as in `dci`; R_dk = mean decrease in impurity that latent d brings to the forest of factor k

    Each split looks at all latents, as boosting does: at √D of them, which is the classifier's default, a tree often
    has to use a latent that tells nothing. Cost does not grow with the number of a factor's values.

    Args:
        codes: posterior means, shape `[N, D]`, D of at least 2.
        factors: shape `[N, K]`, K of at least 2.
        rng: source of the split, unless `held_out` is given, and of the forests' seeds.
        continuous: which factors are, one bool or K: these are regressed, the others classified.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        settings: share held out, number of trees.
        n_jobs: factors learnt at once, on as many threads; the result does not depend on it.

    Raises:
        ValueError: what `checked_table` and `split_rows` refuse.

    Reference:
        Eastwood and Williams (2018), section 4, have random forests beside the lasso; the sizes here are ours.
    """

    def forest(continuous: bool, seed: int) -> Any:
        model = RandomForestRegressor if continuous else RandomForestClassifier
        return model(settings.forest_trees, max_features=None, min_samples_leaf=ROWS_PER_LEAF, random_state=seed)

    table = checked_table(codes, factors, continuous, latents=2, least_factors=2)
    rows = split_rows(table, rng, held_out=held_out, share=settings.test_share)
    return dci_of_models(table, rows, forest, rng=rng, n_jobs=n_jobs)
