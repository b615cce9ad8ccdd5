"""The page's maps: where each arm went, in the episode of one seed."""

from __future__ import annotations

from collections.abc import Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import TopDownMap, visit_maps
from perma_agent.studies.exploration.arms import ARMS
from perma_agent.studies.exploration.cell_names import MODES, levels_of, runs_of
from perma_agent.studies.exploration.grounds import LEVELS
from perma_agent.studies.exploration.visit_map import has_map, read_map
from perma_agent.studies.page_parts import Drawn


def draw_maps(cells: Sequence[Cell], mode: str) -> list[Drawn]:
    """A figure for each level, with the seed that most arms were run with, the smallest of those."""
    return [drawn for level in levels_of(cells, mode) if (drawn := _level(cells, mode, level)) is not None]


def _level(cells: Sequence[Cell], mode: str, level: str) -> Drawn | None:
    runs = {arm: [cell for cell in found if has_map(cell)] for arm, found in runs_of(cells, mode, level).items()}
    seeds = [cell.seed for found in runs.values() for cell in found]
    if not seeds:
        return None
    seed = max(sorted(set(seeds)), key=seeds.count)
    maps = []
    for arm, found in runs.items():
        for cell in found:
            if cell.seed == seed:
                seen = read_map(cell)
                maps.append(
                    TopDownMap(
                        title=f"{ARMS[arm].title}: {seen.covered.share:.0%}",
                        ground=seen.ground,
                        visits=seen.covered.visits,
                        start=seen.start,
                        goal=seen.goal,
                    )
                )
    return Drawn(
        name=f"maps_{mode}_{level.replace('-', '_')}",
        figure=visit_maps(maps),
        alt=f"Top-down maps of {LEVELS[level].title}, {MODES[mode]}: where the agent of each arm went.",
        caption=(
            f"{LEVELS[level].title}, {MODES[mode]}: steps in each cell of half a metre, and the share of cells met. "
            "Grey can be reached and was not; the ring is the start of every episode, the star the goal."
        ),
        seeds=str(seed),
    )
