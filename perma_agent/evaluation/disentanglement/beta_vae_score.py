"""BetaVAE's score: can a linear classifier tell from differences of codes which factor they share?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from perma_agent.evaluation.disentanglement.factor_groups import FactorGroups
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table

AT_ONCE = 1_000
"""Groups held in memory: twice 5 MB at 64 pairs of 10 latents."""
STEPS = 1_000
"""Most steps of the solver. scikit-learn's 100 do not always do, and the solution is what is meant."""


@dataclass(frozen=True, kw_only=True)
class BetaVAEScore:
    """Accuracy of naming the factor that pairs of codes share."""

    score: float
    """On held-out groups, in [0, 1]; chance is 1/K."""
    train_accuracy: float
    """On the groups learnt from."""


def beta_vae_score(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> BetaVAEScore:
    """Name the factor that pairs of codes share, from the mean of their absolute differences.

        feature of a group = mean over its pairs of | z_1 - z_2 |,  v_k the same in each pair;   logistic regression → k

    disentanglement_lib of 2019 had scikit-learn's then default solver, one factor against the rest; today's, which
    this uses, is multinomial: figures agree but to noise.

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`, K of at least 2; pairs are drawn from the rows, see `FactorGroups`.
        rng: source of the pairs.
        continuous: which factors are, one bool or K; these are shared to within one of `settings.bins` bins.
        settings: pairs in a group, groups to learn and to score, rows a value needs.

    Raises:
        ValueError: what `checked_table` refuses, or too few rows of a factor's values.

    Reference:
        Higgins et al., beta-VAE (2017), section 3; disentanglement_lib, `beta_vae_sklearn`.
    """
    table = checked_table(codes, factors, continuous, least_factors=2)
    groups = FactorGroups(table.labels(settings.bins), rows_per_value=settings.rows_per_value)
    shared = rng.integers(table.factors.shape[1], size=settings.train_groups + settings.test_groups)
    features = _differences(table.codes, groups, rng, shared=shared, size=settings.group)
    learnt, scored = slice(settings.train_groups), slice(settings.train_groups, None)
    model = LogisticRegression(max_iter=STEPS).fit(features[learnt], shared[learnt])
    return BetaVAEScore(
        score=float(model.score(features[scored], shared[scored])),
        train_accuracy=float(model.score(features[learnt], shared[learnt])),
    )


def _differences(
    codes: np.ndarray, groups: FactorGroups, rng: np.random.Generator, *, shared: np.ndarray, size: int
) -> np.ndarray:
    """Mean absolute difference of the pairs of each group, shape `[G, D]`."""
    found = []
    for begin in range(0, len(shared), AT_ONCE):
        factors = shared[begin : begin + AT_ONCE]
        first = groups.anchors(factors, size, rng)
        second = groups.companions(factors, first, rng)
        found.append(np.abs(codes[first] - codes[second]).mean(axis=1))
    return np.concatenate(found)
