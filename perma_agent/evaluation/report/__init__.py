"""The report: figures as pure functions of data, and the self-contained page that holds them."""

from perma_agent.evaluation.report.atypicality import atypicality_lines, atypicality_map
from perma_agent.evaluation.report.blocks import Details, Picture, Table, Text
from perma_agent.evaluation.report.environments import environments_over_time
from perma_agent.evaluation.report.learning_curves import LearningCurve, learning_curves, stage_seconds
from perma_agent.evaluation.report.losses import loss_curves
from perma_agent.evaluation.report.page import Page, Section, render, results_table, write_page
from perma_agent.evaluation.report.reconstructions import cross_domain_sheet, reconstruction_sheet, traversal_sheet
from perma_agent.evaluation.report.style import png
from perma_agent.evaluation.report.success_matrix import success_matrix

__all__ = [
    "Details",
    "LearningCurve",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Text",
    "atypicality_lines",
    "atypicality_map",
    "cross_domain_sheet",
    "environments_over_time",
    "learning_curves",
    "loss_curves",
    "png",
    "reconstruction_sheet",
    "render",
    "results_table",
    "stage_seconds",
    "success_matrix",
    "traversal_sheet",
    "write_page",
]
