"""Evaluation: what was learnt, measured and shown, numpy in and frozen results out."""

from typing import TYPE_CHECKING

from perma_agent.lazy import lazy_names

if TYPE_CHECKING:
    from perma_agent.evaluation.cells import (
        Cell,
        cell_path,
        finished_cell,
        over_seeds,
        read_cell,
        read_cells,
        write_cell,
    )
    from perma_agent.evaluation.coverage import Coverage, Views, cell_coverage, coverage
    from perma_agent.evaluation.history import LearningHistory, World
    from perma_agent.evaluation.homology import Homology, HomologyConfig, Transfer, homology
    from perma_agent.evaluation.inference_score import InferenceScore, score_inference
    from perma_agent.evaluation.machine import Machine, describe_machine, source_commit
    from perma_agent.evaluation.policies import EpisodeStatistics, RandomPolicy, evaluate_on_level
    from perma_agent.evaluation.reachable import Ground, reachable_ground
    from perma_agent.evaluation.results import Row, Summary, goal_met, read_summary, write_summary
    from perma_agent.evaluation.statistics import (
        Estimate,
        bootstrap_interval,
        iqm,
        stratified_bootstrap_interval,
        success_ratio,
        wilson_interval,
    )
    from perma_agent.evaluation.traversals import (
        CrossDomain,
        cross_domain,
        information_per_latent,
        latent_traversals,
        reconstruct,
    )

__all__ = [
    "Cell",
    "Coverage",
    "CrossDomain",
    "EpisodeStatistics",
    "Estimate",
    "Ground",
    "Homology",
    "HomologyConfig",
    "InferenceScore",
    "LearningHistory",
    "Machine",
    "RandomPolicy",
    "Row",
    "Summary",
    "Transfer",
    "Views",
    "World",
    "bootstrap_interval",
    "cell_coverage",
    "cell_path",
    "coverage",
    "cross_domain",
    "describe_machine",
    "evaluate_on_level",
    "finished_cell",
    "goal_met",
    "homology",
    "information_per_latent",
    "iqm",
    "latent_traversals",
    "over_seeds",
    "reachable_ground",
    "read_cell",
    "read_cells",
    "read_summary",
    "reconstruct",
    "score_inference",
    "source_commit",
    "stratified_bootstrap_interval",
    "success_ratio",
    "wilson_interval",
    "write_cell",
    "write_summary",
]

_FILES = {
    "Cell": "cells",
    "cell_path": "cells",
    "finished_cell": "cells",
    "over_seeds": "cells",
    "read_cell": "cells",
    "read_cells": "cells",
    "write_cell": "cells",
    "Coverage": "coverage",
    "Views": "coverage",
    "cell_coverage": "coverage",
    "coverage": "coverage",
    "LearningHistory": "history",
    "World": "history",
    "Homology": "homology",
    "HomologyConfig": "homology",
    "Transfer": "homology",
    "homology": "homology",
    "InferenceScore": "inference_score",
    "score_inference": "inference_score",
    "Machine": "machine",
    "describe_machine": "machine",
    "source_commit": "machine",
    "EpisodeStatistics": "policies",
    "RandomPolicy": "policies",
    "evaluate_on_level": "policies",
    "Ground": "reachable",
    "reachable_ground": "reachable",
    "Row": "results",
    "Summary": "results",
    "goal_met": "results",
    "read_summary": "results",
    "write_summary": "results",
    "Estimate": "statistics",
    "bootstrap_interval": "statistics",
    "iqm": "statistics",
    "stratified_bootstrap_interval": "statistics",
    "success_ratio": "statistics",
    "wilson_interval": "statistics",
    "CrossDomain": "traversals",
    "cross_domain": "traversals",
    "information_per_latent": "traversals",
    "latent_traversals": "traversals",
    "reconstruct": "traversals",
}
"""Public name → the file it is loaded from when first used, so that the metrics need no torch."""

if not TYPE_CHECKING:  # a type checker reads the imports above, and so still sees a mistyped name
    __getattr__, __dir__ = lazy_names(__name__, _FILES)
