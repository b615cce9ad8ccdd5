"""Disentanglement metrics, one a file: codes and ground-truth factors in, frozen results out; no torch needed."""

from perma_agent.evaluation.disentanglement.beta_vae_score import BetaVAEScore, beta_vae_score
from perma_agent.evaluation.disentanglement.dci import DCI, dci
from perma_agent.evaluation.disentanglement.dci_forest import dci_forest
from perma_agent.evaluation.disentanglement.explicitness import Explicitness, explicitness
from perma_agent.evaluation.disentanglement.factor_vae_score import FactorVAEScore, factor_vae_score
from perma_agent.evaluation.disentanglement.mcc import MCC, mcc
from perma_agent.evaluation.disentanglement.mig import MIG, mig
from perma_agent.evaluation.disentanglement.mig_sup import MIGSup, mig_sup
from perma_agent.evaluation.disentanglement.modularity import Modularity, modularity
from perma_agent.evaluation.disentanglement.report import DisentanglementReport, all_metrics
from perma_agent.evaluation.disentanglement.sap import SAP, sap
from perma_agent.evaluation.disentanglement.settings import DISENTANGLEMENT_LIB, Settings
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

__all__ = [
    "DCI",
    "DISENTANGLEMENT_LIB",
    "MCC",
    "MIG",
    "SAP",
    "ActiveUnits",
    "BetaVAEScore",
    "DisentanglementReport",
    "Explicitness",
    "FactorVAEScore",
    "GiniOfChange",
    "MIGSup",
    "Modularity",
    "NormalisedPermanence",
    "Settings",
    "Slowness",
    "active_units",
    "all_metrics",
    "beta_vae_score",
    "dci",
    "dci_forest",
    "explicitness",
    "factor_vae_score",
    "gini_of_change",
    "mcc",
    "mig",
    "mig_sup",
    "modularity",
    "normalised_permanence",
    "sap",
    "slowness",
]
