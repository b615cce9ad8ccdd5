"""Mutual information between binned codes and factors, in nats."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import mutual_info_score


def mutual_information(binned: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Empirical mutual information of each code with each factor.

        I(z_d; v_k) = Σ p(z, v) ln( p(z, v) / (p(z) p(v)) ),  p by counting

    It is biased upwards, by about (bins - 1)(values - 1) / 2N nats where the two are independent.

    Args:
        binned: integers, shape `[N, D]`.
        labels: integers, shape `[N, K]`.

    Returns:
        Nats, never negative, shape `[D, K]`.
    """
    return np.array([[mutual_info_score(label, code) for label in labels.T] for code in binned.T])


def entropies(labels: np.ndarray) -> np.ndarray:
    """Entropy of each factor, H(v_k) = I(v_k; v_k).

    Args:
        labels: integers, shape `[N, K]`.

    Returns:
        Nats, shape `[K]`.
    """
    return np.array([mutual_info_score(label, label) for label in labels.T])
