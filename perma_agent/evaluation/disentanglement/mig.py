"""Mutual information gap: is each factor told by one latent, rather than by several?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.bins import discretise
from perma_agent.evaluation.disentanglement.mutual_information import entropies, mutual_information
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table


@dataclass(frozen=True, kw_only=True)
class MIG:
    """Mutual information gap of K factors."""

    score: float
    """Mean of the factors' gaps, in [0, 1]; no unit."""
    per_factor: np.ndarray
    """Gap of each factor, shape `[K]`."""
    information: np.ndarray
    """I(z_d; v_k) in nats, shape `[D, K]`."""


def mig(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    continuous: Continuous = False,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> MIG:
    """Gap between the latent that tells most of a factor and the one that tells second most.

        MIG = mean over k of ( I(z_first; v_k) - I(z_second; v_k) ) / H(v_k)

    Both latents and continuous factors are put into equal-width bins first; H of a continuous factor is that of its
    bins. A copy of a latent takes the gap to 0, a constant one changes nothing.

    Args:
        codes: z, posterior means, shape `[N, D]`, D of at least 2.
        factors: v, shape `[N, K]`.
        continuous: which factors are, one bool or K; the values of the others are names.
        settings: the number of bins, 20 by default.

    Returns:
        The score, 1 where every factor is told wholly by a latent of which no other knows.

    Raises:
        ValueError: what `checked_table` refuses.

    Reference:
        Chen et al., Isolating sources of disentanglement in VAEs (2018), eq. 6; settings of disentanglement_lib.
    """
    table = checked_table(codes, factors, continuous, latents=2)
    labels = table.labels(settings.bins)
    information = mutual_information(discretise(table.codes, settings.bins), labels)
    second, first = np.sort(information, axis=0)[-2:]
    gaps = (first - second) / entropies(labels)
    return MIG(score=float(gaps.mean()), per_factor=gaps, information=information)
