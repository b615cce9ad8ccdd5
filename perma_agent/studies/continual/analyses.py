"""Analyses of a finished life, one function for each of the paper's figures 4B, 5A and the premise of 5B."""

from perma_agent.studies.continual.ambiguity_analysis import measure_ambiguity
from perma_agent.studies.continual.analysis_basis import AnalysisConfig, Environments
from perma_agent.studies.continual.cross_domain_analysis import (
    measure_class_kept,
    measure_cross_domain,
    measure_position_kept,
)
from perma_agent.studies.continual.imagination_analysis import measure_imagination

__all__ = [
    "AnalysisConfig",
    "Environments",
    "measure_ambiguity",
    "measure_class_kept",
    "measure_cross_domain",
    "measure_imagination",
    "measure_position_kept",
]
