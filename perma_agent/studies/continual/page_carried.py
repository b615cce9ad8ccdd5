"""The page's figures of frames carried to where they never were: to other worlds, and to imagined places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import cross_domain_sheet
from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import environment_colour, styled
from perma_agent.evaluation.traversals import CrossDomain
from perma_agent.studies.continual.page_looks import frames_of
from perma_agent.studies.continual.page_parts import first_with_sheet, notes
from perma_agent.studies.page_parts import Drawn, Part, means_table, of_arm

CROSS: Mapping[str, tuple[str, str]] = {
    "cross-sda": ("cross_domain", "SDA"),
    "cross-sda-entangled": ("cross_domain_entangled", "SDA entangled"),
}
"""By arm: name of the figure, and of the learner."""
CARRIED = ("position", "class")
CROSS_ROWS: Mapping[str, str] = {
    "place of the object abroad, pixels off": "position_mean",
    "place at home, pixels off": "position_at_home",
    "place if drawings were shuffled, pixels off": "position_chance",
    "class told right abroad": "class_abroad",
    "class of the other world's own drawings": "class_at_home",
    "class of the frames as they are": "class_untranslated",
    "share of the most frequent class": "class_chance",
}
IMAGINATION = "imagination-sda"
IMAGINED_ROWS: Mapping[str, tuple[str, str | None]] = {
    "way from the first value to the last, pixels": ("reach", "reach_moving"),
    "does each step lead on (1: yes)": ("monotonicity", "monotonicity_moving"),
    "likeness of the moved object at the ends (1: the same)": ("likeness", "likeness_moving"),
    "share of objects lost at the ends": ("lost", "lost_moving"),
    "objects told right at the ends": ("kept", None),
    "objects told right unmoved": ("kept_unmoved", None),
    "share of the most frequent class": ("chance", None),
    "share of the latents masked": ("masked", None),
}


def cross_domain(cells: Sequence[Cell]) -> list[Part]:
    """Frames decoded as another world's (`cross_domain`, `cross_domain_entangled`), and what is kept of them."""
    parts: list[Part] = []
    for arm, (name, learner) in CROSS.items():
        found = of_arm(cells, arm)
        fullest = max(found, key=lambda cell: len(_drawn(cell)), default=None)  # the first of these
        if fullest is not None and _drawn(fullest):
            parts.append(_carried(fullest, name=name, learner=learner))
        for key in CARRIED:
            parts += notes(found, key)
    columns = {learner: arm for arm, (_, learner) in CROSS.items() if of_arm(cells, arm)}
    table = means_table(
        cells,
        columns=columns,
        rows={words: [figure] * len(columns) for words, figure in CROSS_ROWS.items()},
        caption="What is kept of a frame that is decoded as another world's: the place of its object, and its class as "
        "a classifier of the other world's real frames tells it.",
    )
    return parts if table is None else [*parts, table]


def _drawn(cell: Cell) -> list[dict[str, Any]]:
    """The series that have frames."""
    return [one for key in CARRIED if "sheet" in (one := cell.series.get(key, {}))]


def _carried(cell: Cell, *, name: str, learner: str) -> Drawn:
    series = _drawn(cell)
    sheets = [frames_of(one) for one in series]
    shown = min(sheet.shape[1] for sheet in sheets)
    return Drawn(
        name=name,
        figure=cross_domain_sheet(
            [
                CrossDomain(frames=frames, at_home=at_home, abroad=abroad, back=back)
                for frames, at_home, abroad, back in (sheet[:, :shown] for sheet in sheets)
            ],
            names=[" → ".join(one["worlds"]) for one in series],
            environments=[(one["environments"][0], one["environments"][1]) for one in series],
        ),
        alt=f"Frames decoded as their own world, as another, and back, {learner}",
        caption=f"{learner} at the end of five worlds: each frame decoded as its own environment, as the other world's "
        "and back. Between moving worlds the place should be kept, between worlds of clothes the kind. The paper's "
        "figures 4B and 9.",
        seeds=str(cell.seed),
    )


def imagination(cells: Sequence[Cell]) -> list[Part]:
    """Position latents moved where nothing ever moved (`imagination`), beside where they were learnt."""
    found = of_arm(cells, IMAGINATION)
    cell = first_with_sheet(found, "imagination")
    if cell is None:
        return [*notes(found, "imagination")]
    series = cell.series["imagination"]
    static, moving = series["worlds"]
    drawn = Drawn(
        name="imagination",
        figure=_imagined(series),
        alt=f"Position latents traversed in {static} and in {moving}",
        caption=f"The two latents that most tell the place in {moving}, set to values from -2 to 2 where nothing ever "
        f"moved ({static}, left) and where it did ({moving}, right). If imagination works, the object moves left as it "
        "does right and stays what it is. The premise of the paper's figure 5B, without acting.",
        seeds=str(cell.seed),
    )
    table = means_table(
        cells,
        columns={static: IMAGINATION, moving: IMAGINATION},
        rows={words: [_prefixed(name) for name in names] for words, names in IMAGINED_ROWS.items()},
        caption="What becomes of the object when its position latents are moved.",
    )
    return [drawn, *notes(found, "imagination"), *([] if table is None else [table])]


@styled
def _imagined(series: Mapping[str, Any]) -> Figure:
    frames, latents = frames_of(series), series["latents"]
    sheet = Sheet([frames[: len(latents)], frames[len(latents) :]], left=0.5, top=0.55)
    sheet.name_rows([f"z{latent}" for latent in latents])
    for block, (world, environment) in enumerate(zip(series["worlds"], series["environments"], strict=True)):
        sheet.title(block, world, colour=environment_colour(environment))
        sheet.name_columns(block, [f"{value:+.1f}" if value else "0" for value in series["values"]])
    return sheet.figure


def _prefixed(name: str | None) -> str | None:
    return None if name is None else f"imagination_{name}"
