"""The figures of the study `continual` and the page that shows them, made of its cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Summary
from perma_agent.studies.continual.page_carried import cross_domain, imagination
from perma_agent.studies.continual.page_factors import factors
from perma_agent.studies.continual.page_lives import PROBED, draw_environments, draw_latents, draw_probes
from perma_agent.studies.continual.page_looks import TRAVERSALS, ambiguity, draw_traversals
from perma_agent.studies.continual.page_table import ablation
from perma_agent.studies.page_files import write_parts
from perma_agent.studies.page_parts import Part

INTRODUCTION = (
    "The experiments of the VASE paper (Achille et al., Life-long disentangled representation learning with "
    "cross-domain latent homologies, 2018), lived through again: one learner is shown world after world, batch by "
    "batch, and is told of no switch. VASE is SDA: it infers environments (S), dreams of the past (D) and masks "
    "latents that are atypical (A). The other arms lack some of these; none lacks all, which is CCI-VAE; entangled "
    "arms pay β KL with β = 1, as a plain VAE."
)


def write_figures(cells: Sequence[Cell], summary: Summary, folder: Path) -> None:
    """Write the figures, the tables and the page of the study's cells into its folder; see `write_parts`."""
    write_parts(_contents(cells), cells, summary, folder, title="Life-long learning", introduction=INTRODUCTION)


def _contents(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Part]]]:
    """Titles of all sections in order, and what stands in them, if anything."""
    yield "Environments it inferred", draw_environments(cells)
    yield "What it still knows", [drawn for sequence in PROBED for drawn in draw_probes(cells, sequence)]
    yield "Which parts matter", ablation(cells)
    yield "What its latents are used for", [drawn for sequence in PROBED for drawn in draw_latents(cells, sequence)]
    yield "What its latents mean", [drawn for life in TRAVERSALS for drawn in draw_traversals(cells, life)]
    yield "One world seen as another", cross_domain(cells)
    yield "Ambiguity", ambiguity(cells)
    yield "Imagination", imagination(cells)
    yield "Factors that open one after another", factors(cells)
