"""The figures of the study `permanence` and the page that shows them, made of its cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.results import Summary
from perma_agent.studies.page_files import write_parts
from perma_agent.studies.page_parts import Part
from perma_agent.studies.permanence.page_arms import arms_on, grounds_of, title_of, tried_on
from perma_agent.studies.permanence.page_cases import cases
from perma_agent.studies.permanence.page_codes import draw_changes, draw_correlations, draw_traversals
from perma_agent.studies.permanence.page_scores import draw_curves, draw_scores, draw_weights
from perma_agent.studies.permanence.page_table import tables
from perma_agent.studies.permanence.page_vase import vase

INTRODUCTION = (
    "The permanence prior says that from one moment to the next few things change, so few latents of a code should. "
    "Here its members are held against other ways of learning from pairs of frames in time: no prior (β-VAE), L1, L2 "
    "(slowness), SlowVAE, Ada-GVAE and PCL. P₀ by direction has P_b's gradient for b = 0 at a harmless length; it also "
    "takes over from SlowVAE's term (→), or stands beside half of it (+). All arms learn from the same pairs with one "
    "network and one budget; each has one weight, chosen by one rule on seeds that are not reported on."
)


def write_figures(cells: Sequence[Cell], summary: Summary, folder: Path) -> None:
    """Write the figures, the tables and the page of the study's cells into its folder; see `write_parts`."""
    write_parts(_contents(cells), cells, summary, folder, title="Permanence", introduction=INTRODUCTION)


def _contents(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Part]]]:
    """Titles of all sections in order, and what stands in them, if anything."""
    for ground in grounds_of(cells):
        arms, tried = arms_on(cells, ground), tried_on(cells, ground)
        yield title_of(ground), [*draw_scores(arms, ground), *tables(arms), *draw_curves(arms, ground)]
        yield (
            f"What the latents mean: {ground}",
            [*draw_changes(arms, ground), *draw_correlations(arms, ground), *draw_traversals(arms, ground)],
        )
        yield f"How the weights were chosen: {ground}", draw_weights(tried, ground)
    yield "The article's cases", cases(cells)
    yield "Permanence inside VASE", vase(cells)
