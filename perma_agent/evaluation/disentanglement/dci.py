"""DCI: disentanglement, completeness and informativeness, from what boosted trees need of the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils.parallel import Parallel, delayed

from perma_agent.evaluation.disentanglement.boosted_trees import BoostedTrees
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, Table, checked_table, split_rows

TINY = 1e-11
"""Added to importances before their entropy is taken, as in disentanglement_lib."""

MakeModel = Callable[[bool, int], Any]
"""`make_model(continuous, seed)`: an unfitted model with scikit-learn's `fit`, `score` and `feature_importances_`."""


@dataclass(frozen=True, kw_only=True)
class DCI:
    """Disentanglement, completeness and informativeness; no units."""

    disentanglement: float
    """How far each latent is needed for one factor only, in [0, 1]."""
    completeness: float
    """How far each factor needs one latent only, in [0, 1]."""
    informativeness_train: float
    """Mean over factors of accuracy (discrete, in [0, 1]) or R² (continuous, at most 1) on the rows learnt from."""
    informativeness_test: float
    """The same on the rows held out."""
    importance: np.ndarray
    """R, what factor k's model needs of latent d; columns add up to 1 or are 0; shape `[D, K]`."""


def dci(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    held_out: np.ndarray | None = None,
    settings: Settings = DISENTANGLEMENT_LIB,
    n_jobs: int = 1,
) -> DCI:
    """Predict each factor from the code with gradient-boosted trees, and see how spread their importances are.

        D = Σ_d ρ_d (1 - H_K(R_d· / Σ_k R_dk)),  ρ_d = Σ_k R_dk / ΣΣ R;     C likewise over columns, with H_D

    H_n is the entropy to base n. The trees are those of `GradientBoostingClassifier()` and, for continuous factors,
    `GradientBoostingRegressor()`: 100 stages, depth 3, rate 0.1. They are grown by our own `BoostedTrees`, which
    predicts the same on the rows learnt from and gives importances within what two seeds of scikit-learn differ by,
    in a fifth of the time. A classifier grows a tree per stage and value (some 3 ms each at 7,000 rows and 10
    latents): this is by far the slowest metric where factors have many values. `dci_forest` is another, quicker one.

    Args:
        codes: posterior means, shape `[N, D]`, D of at least 2.
        factors: shape `[N, K]`, K of at least 2.
        rng: source of the split, unless `held_out` is given, and of the trees' seeds.
        continuous: which factors are, one bool or K: these are regressed, the others classified.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        settings: share held out, number of stages.
        n_jobs: factors learnt at once, on as many threads; the result does not depend on it.

    Raises:
        ValueError: what `checked_table` and `split_rows` refuse.

    Reference:
        Eastwood and Williams, A framework for the quantitative evaluation of disentangled representations (2018),
        section 2; the trees are disentanglement_lib's choice, regression for continuous factors is ours.
    """

    def boosting(continuous: bool, seed: int) -> BoostedTrees:
        return BoostedTrees(settings.boosting_trees, continuous=continuous, seed=seed)

    table = checked_table(codes, factors, continuous, latents=2, least_factors=2)
    rows = split_rows(table, rng, held_out=held_out, share=settings.test_share)
    return dci_of_models(table, rows, boosting, rng=rng, n_jobs=n_jobs)


def dci_of_models(
    table: Table,
    rows: tuple[np.ndarray, np.ndarray],
    make_model: MakeModel,
    *,
    rng: np.random.Generator,
    n_jobs: int = 1,
) -> DCI:
    """DCI from any kind of model that tells how important its inputs were.

    Args:
        table: checked codes and factors.
        rows: masks of the rows to learn from and to test on, bool, shape `[N]` each.
        make_model: of one factor.
        rng: source of the models' seeds, one per factor.
        n_jobs: factors learnt at once, on as many threads.
    """
    train, test = rows
    seeds = rng.integers(2**31, size=(table.factors.shape[1],))

    def learn(k: int) -> tuple[np.ndarray, float, float]:
        model = make_model(bool(table.continuous[k]), int(seeds[k]))
        truth = table.factors[:, k] if table.continuous[k] else table.labels_of(k)
        model.fit(table.codes[train], truth[train])
        scores = (float(model.score(table.codes[side], truth[side])) for side in (train, test))
        return np.abs(model.feature_importances_), *scores

    learnt = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(learn)(k) for k in range(len(seeds)))
    importances, on_train, on_test = zip(*learnt, strict=True)
    importance = np.stack(importances, axis=1)
    return DCI(
        disentanglement=disentanglement(importance),
        completeness=disentanglement(importance.T),
        informativeness_train=float(np.mean(on_train)),
        informativeness_test=float(np.mean(on_test)),
        importance=importance,
    )


def disentanglement(importance: np.ndarray) -> float:
    """Mean purity of the rows of an importance matrix, weighted by their sums; of its transpose, completeness.

        Σ_d ρ_d (1 - H_K(R_d·)),  ρ_d = Σ_k R_dk / ΣΣ R

    Args:
        importance: R, not negative, shape `[D, K]`, K of at least 2.

    Returns:
        In [0, 1]: 1 where each row has one entry, 0 where all are even, or the whole matrix is 0.
    """
    purity = 1 - stats.entropy(importance + TINY, base=importance.shape[1], axis=1)
    weights = importance.sum(axis=1)
    total = weights.sum()
    return float(purity @ (weights / total)) if total > 0 else 0.0
