"""Explicitness: can each value of each factor be told from the code by a linear classifier?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table, split_rows

STEPS = 1_000
"""Most steps of the solver. scikit-learn's 100 do not always do, and the solution is what is meant."""


@dataclass(frozen=True, kw_only=True)
class Explicitness:
    """Areas under the ROC curve, one value against the rest; 0.5 is chance and 1 the best."""

    score: float
    """Mean over factors on held-out rows; no unit."""
    train: float
    """Mean over factors on the rows learnt from."""
    per_factor: np.ndarray
    """On held-out rows, the mean over each factor's values, shape `[K]`."""


def explicitness(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    held_out: np.ndarray | None = None,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> Explicitness:
    """Tell each factor's values from the whole code by logistic regression, and measure the area under the ROC curve.

        explicitness = mean over k of  mean over values j of  AUC( v_k = j  against  P(v_k = j | z) )

    Codes are standardised by the rows learnt from; a latent constant there gets no weight. Values that are missing on a
    side, or the only ones there, have no area and are left out of that side's mean. Not rescaled by chance, as in
    disentanglement_lib; its solver of 2019 took one value against the rest, today's is multinomial.

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`.
        rng: source of the split; not used where `held_out` is given.
        continuous: which factors are, one bool or K; their values are `settings.bins` equal-width bins.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        settings: share held out, number of bins.

    Raises:
        ValueError: what `checked_table` and `split_rows` refuse, or a factor with one class on a side, or none that
            was learnt.

    Reference:
        Ridgeway and Mozer, Learning deep disentangled embeddings with the F-statistic loss (2018), section 3.
    """
    table = checked_table(codes, factors, continuous)
    train, test = split_rows(table, rng, held_out=held_out, share=settings.test_share)
    learnt = table.codes[train]
    spread = np.where(varies(learnt), learnt.std(axis=0), 1.0)
    scaled = (table.codes - learnt.mean(axis=0)) / spread
    on_train, on_test = [], []
    for k, labels in enumerate(table.labels(settings.bins).T):
        for side, name in ((train, "learnt from"), (test, "held out")):
            if np.ptp(labels[side]) == 0 or not np.isin(labels[side], labels[train]).any():
                raise ValueError(
                    f"expected known values of factor {k}, and not one only, in the rows {name}; bring more"
                )
        model = LogisticRegression(max_iter=STEPS).fit(scaled[train], labels[train])
        on_train.append(_area(model, scaled[train], labels[train]))
        on_test.append(_area(model, scaled[test], labels[test]))
    return Explicitness(score=float(np.mean(on_test)), train=float(np.mean(on_train)), per_factor=np.array(on_test))


def _area(model: LogisticRegression, codes: np.ndarray, labels: np.ndarray) -> float:
    """Mean area under the ROC curve over the values that the model knows and that occur among others."""
    probabilities = model.predict_proba(codes)
    occurring = [i for i, value in enumerate(model.classes_) if 0 < (labels == value).sum() < len(labels)]
    areas = [roc_auc_score(labels == model.classes_[i], probabilities[:, i]) for i in occurring]
    return float(np.mean(areas))
