"""SAP, separated attribute predictability: does one latent predict a factor much better than the next?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.svm import LinearSVC

from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table, split_rows

DEAD_VARIANCE = 1e-12
"""Variance of a latent up to which it predicts nothing, as in disentanglement_lib."""


@dataclass(frozen=True, kw_only=True)
class SAP:
    """Separated attribute predictability of K factors."""

    score: float
    """Mean over factors of the best latent's score less the second best's, in [0, 1]; no unit."""
    per_factor: np.ndarray
    """The difference for each factor, shape `[K]`."""
    predictability: np.ndarray
    """S, how well latent d alone predicts factor k, in [0, 1], shape `[D, K]`."""


def sap(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    continuous: Continuous = False,
    held_out: np.ndarray | None = None,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> SAP:
    """Difference between the two latents that predict a factor best, each alone.

        SAP = mean over k of ( S_first,k - S_second,k )
        discrete v_k:    S_dk = accuracy on held-out rows of a linear support vector machine, v_k from z_d
        continuous v_k:  S_dk = cov(z_d, v_k)² / (var z_d · var v_k) over the rows learnt from

    The machine has C = 0.01 and balanced classes. We solve its primal problem, which needs no random numbers and
    converges; disentanglement_lib's scikit-learn solved the dual of the same problem. Its offset is regularised too, so
    that shifting a latent changes its score a little. Linear: a factor with many values, or one of which a latent is a
    curved function, scores low however well it is separated.

    Args:
        codes: z, posterior means, shape `[N, D]`, D of at least 2.
        factors: v, shape `[N, K]`.
        rng: source of the split; not used where `held_out` is given.
        continuous: which factors are, one bool or K.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        settings: share held out, C.

    Raises:
        ValueError: what `checked_table` and `split_rows` refuse.

    Reference:
        Kumar et al., Variational inference of disentangled latent concepts (2018), section 3.
    """
    table = checked_table(codes, factors, continuous, latents=2)
    train, test = split_rows(table, rng, held_out=held_out, share=settings.test_share)
    columns = []
    for k, is_continuous in enumerate(table.continuous):
        if is_continuous:
            columns.append(_squared_correlations(table.codes[train], table.factors[train, k]))
        else:
            columns.append(_accuracies(table.codes, table.labels_of(k), (train, test), svm_c=settings.svm_c))
    predictability = np.stack(columns, axis=1)
    second, first = np.sort(predictability, axis=0)[-2:]
    gaps = first - second
    return SAP(score=float(gaps.mean()), per_factor=gaps, predictability=predictability)


def _squared_correlations(codes: np.ndarray, factor: np.ndarray) -> np.ndarray:
    centred, truth = codes - codes.mean(axis=0), factor - factor.mean()
    covariances, variances = centred.T @ truth, (centred**2).sum(axis=0)
    alive = variances > DEAD_VARIANCE * (len(codes) - 1)
    squared = covariances**2 / (np.where(alive, variances, 1.0) * (truth @ truth))
    return np.where(alive, squared, 0.0)


def _accuracies(
    codes: np.ndarray, labels: np.ndarray, rows: tuple[np.ndarray, np.ndarray], *, svm_c: float
) -> np.ndarray:
    train, test = rows
    found = []
    for code in codes.T:
        machine = LinearSVC(C=svm_c, class_weight="balanced", dual=False)
        machine.fit(code[train, None], labels[train])
        found.append(machine.score(code[test, None], labels[test]))
    return np.array(found)
