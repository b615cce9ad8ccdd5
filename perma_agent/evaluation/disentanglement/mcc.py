"""MCC, mean correlation coefficient: how well do latents, matched one to one, correlate with the factors?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.tables import checked_table

UNMATCHED = -1
"""The latent of a factor for which none was left."""


@dataclass(frozen=True, kw_only=True)
class MCC:
    """Mean correlation coefficient of K factors."""

    score: float
    """Mean over factors of the matched latent's absolute correlation, in [0, 1]; no unit."""
    per_factor: np.ndarray
    """Each factor's, shape `[K]`; 0 where it has no latent."""
    latents: np.ndarray
    """The latent matched to each factor, ints, shape `[K]`; `UNMATCHED` where D < K left none."""
    correlation: np.ndarray
    """Absolute correlations, shape `[D, K]`; 0 for a constant latent."""


def mcc(codes: np.ndarray, factors: np.ndarray, *, method: Literal["spearman", "pearson"] = "spearman") -> MCC:
    """Match latents to factors one to one so that they correlate most, and average.

        MCC = max over matchings π of  1/K Σ_k | corr(z_π(k), v_k) |

    All factors are taken as numbers: the correlation with one that has no order (a shape, a colour) depends on how its
    values happen to be numbered. Equal values have equal ranks: with few values per factor a latent that adds noise to
    them stays below 1 by Spearman. Where D < K the factors left over count 0. SlowVAE's own code pads the factors
    with noise up to D instead of matching a rectangle, which is this but for that noise's chance correlations.

    Args:
        codes: z, posterior means, shape `[N, D]`.
        factors: v, shape `[N, K]`.
        method: rank correlation, as in SlowVAE, or the linear one.

    Raises:
        ValueError: what `checked_table` refuses, or an unknown method.

    Reference:
        Hyvärinen and Morioka (2016); Klindt et al., SlowVAE (2021), `mcc_metric/metric.py`, with 10,000 points.
    """
    if method not in ("spearman", "pearson"):
        raise ValueError(f"expected method 'spearman' or 'pearson', got {method!r}")
    table = checked_table(codes, factors, continuous=True)
    columns = [table.codes, table.factors]
    standard = [_standardised(rankdata(c, axis=0) if method == "spearman" else c) * varies(c) for c in columns]
    correlation = np.clip(np.abs(standard[0].T @ standard[1]), 0, 1)
    chosen, matched = linear_sum_assignment(correlation, maximize=True)
    latents = np.full(correlation.shape[1], UNMATCHED)
    latents[matched] = chosen
    per_factor = np.zeros(correlation.shape[1])
    per_factor[matched] = correlation[chosen, matched]
    return MCC(score=float(per_factor.mean()), per_factor=per_factor, latents=latents, correlation=correlation)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and length 1; a constant one stays 0 or nearly so."""
    centred = values - values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    standard: np.ndarray = centred / np.where(length > 0, length, 1.0)
    return standard
