"""Evaluation: what was learnt, measured and shown, numpy in and frozen results out."""

from perma_agent.evaluation.cells import Cell, cell_path, finished_cell, over_seeds, read_cell, read_cells, write_cell
from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.inference_score import InferenceScore, score_inference
from perma_agent.evaluation.machine import Machine, describe_machine, source_commit
from perma_agent.evaluation.policies import EpisodeStatistics, RandomPolicy, evaluate_on_level
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
    "CrossDomain",
    "EpisodeStatistics",
    "Estimate",
    "InferenceScore",
    "LearningHistory",
    "Machine",
    "RandomPolicy",
    "Row",
    "Summary",
    "World",
    "bootstrap_interval",
    "cell_path",
    "cross_domain",
    "describe_machine",
    "evaluate_on_level",
    "finished_cell",
    "goal_met",
    "information_per_latent",
    "iqm",
    "latent_traversals",
    "over_seeds",
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
