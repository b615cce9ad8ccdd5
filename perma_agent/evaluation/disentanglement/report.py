"""All disentanglement metrics of one code at once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from perma_agent.evaluation.disentanglement.beta_vae_score import BetaVAEScore, beta_vae_score
from perma_agent.evaluation.disentanglement.bins import varies
from perma_agent.evaluation.disentanglement.dci import DCI, dci
from perma_agent.evaluation.disentanglement.dci_forest import dci_forest
from perma_agent.evaluation.disentanglement.explicitness import Explicitness, explicitness
from perma_agent.evaluation.disentanglement.factor_vae_score import FactorVAEScore, factor_vae_score
from perma_agent.evaluation.disentanglement.mcc import MCC, mcc
from perma_agent.evaluation.disentanglement.mig import MIG, mig
from perma_agent.evaluation.disentanglement.mig_sup import MIGSup, mig_sup
from perma_agent.evaluation.disentanglement.modularity import Modularity, modularity
from perma_agent.evaluation.disentanglement.sap import SAP, sap
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
from perma_agent.evaluation.disentanglement.tables import Continuous, checked_codes, checked_table, split_rows
from perma_agent.evaluation.disentanglement.temporal import (
    ActiveUnits,
    GiniOfChange,
    NormalisedPermanence,
    Slowness,
    active_units,
    gini_of_change,
    normalised_permanence,
    slowness,
)


@dataclass(frozen=True, kw_only=True)
class DisentanglementReport:
    """Every metric of one code; each is explained at its own function."""

    mig: MIG
    """Mutual information gap per factor."""
    mig_sup: MIGSup
    """Mutual information gap per latent."""
    dci: DCI | None
    """DCI with boosted trees, as published figures have it; None where the settings leave it out."""
    dci_forest: DCI
    """DCI with random forests, comparable with itself only."""
    sap: SAP
    """Separated attribute predictability."""
    factor_vae: FactorVAEScore
    """FactorVAE's score."""
    beta_vae: BetaVAEScore
    """BetaVAE's score."""
    mcc_spearman: MCC
    """Mean correlation coefficient of ranks."""
    mcc_pearson: MCC
    """Mean correlation coefficient of values."""
    modularity: Modularity
    """Modularity."""
    explicitness: Explicitness
    """Explicitness."""
    permanence: NormalisedPermanence | None
    """Normalised permanence; None, as the two below, without changes or where nothing changed."""
    slowness: Slowness | None
    """Slowness."""
    gini_of_change: GiniOfChange | None
    """Gini index of change."""
    active_units: ActiveUnits
    """Active latents."""
    metrics_seconds: float
    """Wall time of all this: the only figure that differs from run to run."""

    def figures(self) -> dict[str, float]:
        """One number per metric under its name, as tables want them; what was not measured is not there."""
        found = {
            "mig": self.mig.score,
            "mig_sup": self.mig_sup.score,
            "sap": self.sap.score,
            "factor_vae": self.factor_vae.score,
            "beta_vae": self.beta_vae.score,
            "mcc_spearman": self.mcc_spearman.score,
            "mcc_pearson": self.mcc_pearson.score,
            "modularity": self.modularity.score,
            "explicitness": self.explicitness.score,
            "active_units": float(self.active_units.count),
            "metrics_seconds": self.metrics_seconds,
        }
        for name, result in (("dci", self.dci), ("dci_forest", self.dci_forest)):
            if result is not None:
                found[f"{name}_disentanglement"] = result.disentanglement
                found[f"{name}_completeness"] = result.completeness
                found[f"{name}_informativeness"] = result.informativeness_test
        if self.permanence is not None:
            found["permanence"] = self.permanence.score
            found["permanence_of_noise"] = self.permanence.noise
        if self.slowness is not None:
            found["slowness"] = self.slowness.score
        if self.gini_of_change is not None:
            found["gini_of_change"] = self.gini_of_change.score
        return found


def all_metrics(
    codes: np.ndarray,
    factors: np.ndarray,
    rng: np.random.Generator,
    *,
    changes: np.ndarray | None = None,
    continuous: Continuous = False,
    held_out: np.ndarray | None = None,
    settings: Settings = DISENTANGLEMENT_LIB,
    n_jobs: int = 1,
) -> DisentanglementReport:
    """Measure a code by every metric there is here.

    Each metric has random numbers of its own, so leaving one out changes no other; all that need held-out rows use the
    same. Most of the time goes to `dci`; `settings.boosted_dci` leaves it out.

    Args:
        codes: posterior means, shape `[N, D]`, D of at least 2.
        factors: shape `[N, K]`, K of at least 2.
        rng: source of everything random; the same seed gives the same figures.
        changes: Δ = z_t - z_{t-o} within trajectories, shape `[M, D]`, for the temporal metrics.
        continuous: which factors are, one bool or K; the values of the others are names.
        held_out: rows to test on, bool, shape `[N]`; None draws a third.
        settings: by default those of disentanglement_lib.
        n_jobs: threads for the two DCI; the figures do not depend on it.

    Raises:
        ValueError: what the metrics refuse.
    """
    begun = time.perf_counter()
    table = checked_table(codes, factors, continuous, latents=2, least_factors=2)
    codes, factors = table.codes, table.factors
    for_split, for_dci, for_forest, for_sap, for_factor, for_beta, for_explicitness = rng.spawn(7)
    _, test = split_rows(table, for_split, held_out=held_out, share=settings.test_share)
    kinds = tuple(bool(kind) for kind in table.continuous)
    moved = None if changes is None or not np.any(checked_codes(changes)) else changes
    boosted = None
    if settings.boosted_dci:
        boosted = dci(codes, factors, for_dci, continuous=kinds, held_out=test, settings=settings, n_jobs=n_jobs)
    return DisentanglementReport(
        mig=mig(codes, factors, continuous=kinds, settings=settings),
        mig_sup=mig_sup(codes, factors, continuous=kinds, settings=settings),
        dci=boosted,
        dci_forest=dci_forest(
            codes, factors, for_forest, continuous=kinds, held_out=test, settings=settings, n_jobs=n_jobs
        ),
        sap=sap(codes, factors, for_sap, continuous=kinds, held_out=test, settings=settings),
        factor_vae=factor_vae_score(codes, factors, for_factor, continuous=kinds, settings=settings),
        beta_vae=beta_vae_score(codes, factors, for_beta, continuous=kinds, settings=settings),
        mcc_spearman=mcc(codes, factors),
        mcc_pearson=mcc(codes, factors, method="pearson"),
        modularity=modularity(codes, factors, continuous=kinds, settings=settings),
        explicitness=explicitness(codes, factors, for_explicitness, continuous=kinds, held_out=test, settings=settings),
        permanence=None if moved is None else normalised_permanence(moved),
        slowness=None if moved is None or not varies(codes).any() else slowness(moved, codes),
        gini_of_change=None if moved is None else gini_of_change(moved),
        active_units=active_units(codes, settings=settings),
        metrics_seconds=time.perf_counter() - begun,
    )
