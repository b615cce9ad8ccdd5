"""Mutual information gap per latent: does each latent tell of one factor, rather than of several?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.bins import discretise
from perma_agent.evaluation.disentanglement.mutual_information import entropies, mutual_information
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table


@dataclass(frozen=True, kw_only=True)
class MIGSup:
    """Mutual information gap of D latents."""

    score: float
    """Mean of the informative latents' gaps, in [0, 1]; no unit; 0 where none is informative."""
    per_latent: np.ndarray
    """Gap of each latent, the uninformative ones too, shape `[D]`."""
    informative: np.ndarray
    """Which latents count, bool, shape `[D]`."""
    normalised_information: np.ndarray
    """I(z_d; v_k) / H(v_k), each in [0, 1], shape `[D, K]`."""


def mig_sup(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    continuous: Continuous = False,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> MIGSup:
    """Gap between the factor a latent tells most of and the one it tells second most of.

        J(d, k) = I(z_d; v_k) / H(v_k)
        MIG-sup = mean over informative d of ( J(d, first) - J(d, second) ),   informative: max_k J(d, k) > threshold

    It supplements MIG, which a latent that tells of two factors can pass. The paper averages over all latents; we
    leave out those that tell of nothing, since every unused latent would pull the score to 0. Latents and continuous
    factors are binned as in `mig`.

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`, K of at least 2.
        continuous: which factors are, one bool or K; the values of the others are names.
        settings: the number of bins, and the threshold `informative_above`.

    Returns:
        The score, 1 where every informative latent tells one factor wholly and nothing of the others.

    Raises:
        ValueError: what `checked_table` refuses.

    Reference:
        Li et al., Progressive learning and disentanglement of hierarchical representations (2020), section 4.
    """
    table = checked_table(codes, factors, continuous, least_factors=2)
    labels = table.labels(settings.bins)
    share = mutual_information(discretise(table.codes, settings.bins), labels) / entropies(labels)
    ordered = np.sort(share, axis=1)
    gaps = ordered[:, -1] - ordered[:, -2]
    informative = ordered[:, -1] > settings.informative_above
    score = float(gaps[informative].mean()) if informative.any() else 0.0
    return MIGSup(score=score, per_latent=gaps, informative=informative, normalised_information=share)
