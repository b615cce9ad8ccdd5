"""The report: figures as pure functions of data, and the self-contained page that holds them."""

from perma_agent.evaluation.report.ablation_table import AblationRow, ablation_chart
from perma_agent.evaluation.report.ambiguity import Company, ambiguity_figure
from perma_agent.evaluation.report.arm_scores import ArmScore, arm_scores
from perma_agent.evaluation.report.arm_traversals import CodeTraversals, arm_traversals
from perma_agent.evaluation.report.atypicality import atypicality_lines, atypicality_map
from perma_agent.evaluation.report.blocks import Details, Picture, Table, Text
from perma_agent.evaluation.report.coverage_curves import CoverageSeries, coverage_curves
from perma_agent.evaluation.report.environments import environments_over_time
from perma_agent.evaluation.report.factor_curves import FactorSeries, factor_curves
from perma_agent.evaluation.report.factor_maps import FactorMap, factor_maps
from perma_agent.evaluation.report.inference_grid import InferredLives, inference_grid
from perma_agent.evaluation.report.latent_use import latent_use
from perma_agent.evaluation.report.learning_curves import LearningCurve, learning_curves, stage_seconds
from perma_agent.evaluation.report.losses import loss_curves
from perma_agent.evaluation.report.page import Page, Section, render, results_table, write_page
from perma_agent.evaluation.report.probe_curves import ProbeSeries, probe_curves
from perma_agent.evaluation.report.reconstructions import cross_domain_sheet, reconstruction_sheet, traversal_sheet
from perma_agent.evaluation.report.score_curves import ScoreSeries, score_curves
from perma_agent.evaluation.report.style import png
from perma_agent.evaluation.report.success_matrix import success_matrix
from perma_agent.evaluation.report.tiles import tiles_from_text, tiles_to_text
from perma_agent.evaluation.report.traversal_grid import WorldTraversals, traversal_grid
from perma_agent.evaluation.report.visit_maps import TopDownMap, visit_maps
from perma_agent.evaluation.report.weight_search import WeightsTried, weight_search

__all__ = [
    "AblationRow",
    "ArmScore",
    "CodeTraversals",
    "Company",
    "CoverageSeries",
    "Details",
    "FactorMap",
    "FactorSeries",
    "InferredLives",
    "LearningCurve",
    "Page",
    "Picture",
    "ProbeSeries",
    "ScoreSeries",
    "Section",
    "Table",
    "Text",
    "TopDownMap",
    "WeightsTried",
    "WorldTraversals",
    "ablation_chart",
    "ambiguity_figure",
    "arm_scores",
    "arm_traversals",
    "atypicality_lines",
    "atypicality_map",
    "coverage_curves",
    "cross_domain_sheet",
    "environments_over_time",
    "factor_curves",
    "factor_maps",
    "inference_grid",
    "latent_use",
    "learning_curves",
    "loss_curves",
    "png",
    "probe_curves",
    "reconstruction_sheet",
    "render",
    "results_table",
    "score_curves",
    "stage_seconds",
    "success_matrix",
    "tiles_from_text",
    "tiles_to_text",
    "traversal_grid",
    "traversal_sheet",
    "visit_maps",
    "weight_search",
    "write_page",
]
