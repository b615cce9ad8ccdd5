"""Modularity: does each latent share information with one factor only?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.bins import discretise
from perma_agent.evaluation.disentanglement.mutual_information import mutual_information
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_table


@dataclass(frozen=True, kw_only=True)
class Modularity:
    """Modularity of D latents."""

    score: float
    """Mean over all latents, in [0, 1]; no unit."""
    per_latent: np.ndarray
    """Each latent's, shape `[D]`; 0 for one that tells nothing of any factor."""
    information: np.ndarray
    """I(z_d; v_k) in nats, shape `[D, K]`."""


def modularity(
    codes: np.ndarray,
    factors: np.ndarray,
    *,
    continuous: Continuous = False,
    settings: Settings = DISENTANGLEMENT_LIB,
) -> Modularity:
    """How far each latent's information is of one factor only.

        m_d = 1 - ( Σ_k I(z_d; v_k)² - max_k I(z_d; v_k)² ) / ( (K - 1) max_k I(z_d; v_k)² )

    Defined as disentanglement_lib has it, with two warts: a constant latent counts 0 and so lowers the mean, and one
    of pure noise counts for what chance gives it. `mig_sup` leaves both out. Binned as in `mig`.

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`, K of at least 2.
        continuous: which factors are, one bool or K; the values of the others are names.
        settings: the number of bins, 20 by default.

    Raises:
        ValueError: what `checked_table` refuses.

    Reference:
        Ridgeway and Mozer, Learning deep disentangled embeddings with the F-statistic loss (2018), section 3.
    """
    table = checked_table(codes, factors, continuous, least_factors=2)
    information = mutual_information(discretise(table.codes, settings.bins), table.labels(settings.bins))
    squared = information**2
    largest = squared.max(axis=1)
    told = largest > 0
    others = (squared.sum(axis=1) - largest) / (np.where(told, largest, 1.0) * (squared.shape[1] - 1))
    per_latent = np.where(told, 1 - others, 0.0)
    return Modularity(score=float(per_latent.mean()), per_latent=per_latent, information=information)
