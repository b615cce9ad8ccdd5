"""The figures of the study `exploration` and the page that shows them, made of its cells alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import WeightsTried, weight_search
from perma_agent.evaluation.results import Summary
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.cell_names import FREE, MODES, SCRATCH, SPARSE, TRANSFER, TUNING
from perma_agent.studies.exploration.figure_5b import PREFIX, figure_5b_figure
from perma_agent.studies.exploration.page_curves import draw_curves
from perma_agent.studies.exploration.page_maps import draw_maps
from perma_agent.studies.exploration.page_table import tables
from perma_agent.studies.exploration.tuning import MERIT
from perma_agent.studies.page_files import write_parts
from perma_agent.studies.page_parts import Drawn, Part, seeds_in_words

INTRODUCTION = (
    "Who explores more of a level it has never seen, paid for nothing but an intrinsic reward? Every arm is SB3's PPO "
    "with one small network on the same latents, made by a VASE that has lived on other levels and stays as it is; "
    "steps, network and settings are the same, and only the bonus differs. Each seed explores one episode begun again "
    "and again: one map, one start, one goal far from it. Coverage is of the cells that can be walked to, computed "
    "from the walls."
)
TITLES = {
    FREE: "Reward-free exploration",
    SPARSE: "Sparse reward",
    TRANSFER: "Explored indoors first, then dropped outdoors",
    SCRATCH: "A VASE that learns from scratch meanwhile",
}


def write_figures(cells: Sequence[Cell], summary: Summary, folder: Path) -> None:
    """Write the figures, the tables and the page of the study's cells into its folder; see `write_parts`."""
    write_parts(_contents(cells), cells, summary, folder, title="Exploration", introduction=INTRODUCTION)


def _contents(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Part]]]:
    """Titles of all sections in order, and what stands in them, if anything."""
    for mode, title in TITLES.items():
        assert mode in MODES
        yield title, [*draw_curves(cells, mode), *tables(cells, mode)]
        yield f"Where they went: {MODES[mode]}", draw_maps(cells, mode)
    yield "Figure 5B", _figure_5b(cells)
    yield "How the weights were chosen", _weights(cells)


def _figure_5b(cells: Sequence[Cell]) -> list[Part]:
    """Of the paper; nothing before a life of it was lived."""
    lives = [cell for cell in cells if cell.arm.startswith(PREFIX)]
    if not lives:
        return []
    return [
        Drawn(
            name="figure_5b",
            figure=figure_5b_figure(lives),
            alt="Accuracy on moving digits over batches, one line an arm, and maps of where digits lay meanwhile.",
            caption=(
                "Figure 5B of the VASE paper. Garments moved; then digits lie still but may be pushed; then digits "
                "move. Told right are moving digits, by a classifier that learns from what was met in the present "
                "world. Right: where digits lay while they could be pushed."
            ),
            seeds=seeds_in_words(lives),
        )
    ]


def _weights(cells: Sequence[Cell]) -> list[Part]:
    """What the weights tried were worth; nothing before all of an arm's were tried."""
    tried = [cell for cell in cells if cell.arm.startswith(f"{TUNING}-")]
    chosen = {str(cell.settings["arm"]): float(cell.settings["weight"]) for cell in cells if cell.arm.startswith(FREE)}
    arms = {}
    for arm in ARMS:
        merits: dict[float, list[float]] = {}
        for cell in tried:
            if cell.settings["arm"] == arm:
                merits.setdefault(float(cell.settings["weight"]), []).append(float(cell.figures[MERIT] or 0.0))
        if merits:
            means = {weight: tuple(values) for weight, values in merits.items()}
            arms[ARMS[arm].title] = WeightsTried(means="weight", merits=means, chosen=chosen.get(arm))
    if not arms:
        return []
    return [
        Drawn(
            name="weights",
            figure=weight_search(arms, merit="area under coverage"),
            alt="Area under the curve of coverage over the weight of each bonus, the chosen weight ringed.",
            caption=(
                "Each bonus was tried with the same weights on mazes that are not reported on, and runs with the one "
                "whose coverage had the greatest area under its curve. PPO normalises advantages, so without a "
                "level's reward a weight is one beside the bonus on entropy."
            ),
            seeds=seeds_in_words(tried),
        )
    ]
