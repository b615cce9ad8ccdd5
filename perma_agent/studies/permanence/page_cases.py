"""The page's section on the article's cases: whether codes set apart what changes, and keep what they cannot see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import ArmScore, Table, arm_scores
from perma_agent.evaluation.separation import INSIDE, OUTSIDE
from perma_agent.studies.page_parts import Drawn, Part, estimate_text, of_arm, seeds_in_words
from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.page_arms import OURS
from perma_agent.studies.permanence.planning import TUNING
from perma_agent.studies.seed_rows import interval, seeds_of

CASE = "case-"
"""How names of these cells begin: `case-<world>-<arm>`."""
PANELS: Mapping[str, str] = {"told by latents of its own": "inside", "told by all others": "outside"}
"""Title and figure of the drawing: right is better in the first panel, left in the second."""
SEPARATION: Mapping[str, str] = {
    "weight": "weight",
    "inside": "inside",
    "outside": "outside",
    "latents it takes": "latents",
    "share of seeds that meet the claim": "met",
    "DCI disentanglement (forests)": "dci_forest_disentanglement",
    "MCC (Spearman)": "mcc_spearman",
}
"""Columns of the first table."""
PERSISTENCE: Mapping[str, str] = {
    "told while it is seen": "persistence/seen",
    "told while it is hidden": "persistence/hidden",
    "the same latents": "persistence/same",
    "chance": "persistence/chance",
}
"""Columns of the second."""

Case = tuple[str, str, Sequence[Cell]]
"""World, arm, and its cells."""


def cases(cells: Sequence[Cell]) -> list[Part]:
    """What is inside and outside of the latents that change (`cases`), and tables of separation and persistence."""
    found = list(_cases(cells))
    drawn = _drawn(found)
    shown = [
        _table(
            found,
            SEPARATION,
            f"What changes is to be told by few latents (inside, at least {INSIDE:g} of 1) and by no others (outside, "
            f"at most {OUTSIDE:g}); of each the worst factor.",
        ),
        _table(
            found,
            PERSISTENCE,
            "What an object is, told by readers of the code, while it is in view and while it is hidden.",
        ),
    ]
    return [*drawn, *(table for table in shown if table is not None)]


def world_and_arm(name: str) -> tuple[str, str]:
    """World and arm of a cell, the longest name of an arm that fits; an arm of another name is its last part."""
    rest = name.removeprefix(CASE)
    known = [arm for arm in ARMS if rest.endswith(f"-{arm}")]
    arm = max(known, key=len) if known else rest.rpartition("-")[2]
    return rest.removesuffix(f"-{arm}"), arm


def _cases(cells: Sequence[Cell]) -> Iterator[Case]:
    """World by world, the arms in the order of `ARMS`."""
    names = {cell.arm for cell in cells if cell.arm.startswith(CASE) and f"-{TUNING}-" not in cell.arm}
    order = list(ARMS)

    def place(name: str) -> tuple[str, int, str]:
        world, arm = world_and_arm(name)
        return world, order.index(arm) if arm in ARMS else len(order), arm

    for name in sorted(names, key=place):
        yield (*world_and_arm(name), of_arm(cells, name))


def _drawn(found: Sequence[Case]) -> list[Drawn]:
    panels = {
        title: scores
        for title, figure in PANELS.items()
        if (scores := [score for case in found if (score := _score(case, figure)) is not None])
    }
    if not panels:
        return []
    return [
        Drawn(
            name="cases",
            figure=arm_scores(panels, names=("permanence family", "others"), best=False),
            alt="How well what changes is told by latents of its own, by world and arm",
            caption="How much of what changes is told by few latents of its own (left) and by all other latents "
            f"(right), of each the worst factor. A code sets it apart from {INSIDE:g} on in the left panel and up to "
            f"{OUTSIDE:g} in the right one.",
            seeds=seeds_in_words([cell for *_, own in found for cell in own]),
        )
    ]


def _score(case: Case, figure: str) -> ArmScore | None:
    world, arm, own = case
    values = seeds_of(own, own[0].arm, figure)
    if not len(values):
        return None
    return ArmScore(arm=f"{world}: {_title(arm)}", estimate=interval(values), seeds=values.tolist(), ours=arm in OURS)


def _table(found: Sequence[Case], columns: Mapping[str, str], caption: str) -> Table | None:
    """None where no cell has any of the figures, the weight aside."""
    figures = {name for *_, own in found for cell in own for name, value in cell.figures.items() if value is not None}
    shown = {heading: figure for heading, figure in columns.items() if figure in figures}
    if not set(shown.values()) - {"weight"}:
        return None
    rows = [
        (world, _title(arm), len(own), *(estimate_text(seeds_of(own, own[0].arm, name)) for name in shown.values()))
        for world, arm, own in found
        if any(cell.figures.get(name) is not None for cell in own for name in shown.values() if name != "weight")
    ]
    header = ("world", "arm", "seeds", *shown)
    return Table(header=header, rows=rows, caption=f"{caption} Means over seeds with 95% intervals.")


def _title(arm: str) -> str:
    return ARMS[arm].title if arm in ARMS else arm
