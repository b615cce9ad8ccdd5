"""The page's figures of looks at finished lives: traversals, and what mixtures of two worlds are taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report import (
    Company,
    Table,
    WorldTraversals,
    ambiguity_figure,
    tiles_from_text,
    traversal_grid,
)
from perma_agent.evaluation.report.ambiguity import SHOWN
from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import INK, environment_colour, styled
from perma_agent.evaluation.traversals import TRAVERSED
from perma_agent.studies.continual.folder_lives import LOOK, PREFIX
from perma_agent.studies.continual.page_parts import arm_name, first_with_sheet, notes
from perma_agent.studies.page_parts import Drawn, Part, of_arm

COLUMNS = 15
"""Most frames side by side in a traversal grid; where the worlds have more together, only some values are shown."""
VALUES: Sequence[Sequence[int]] = ((0, 1, 2, 3, 4, 5, 6), (0, 2, 3, 4, 6), (0, 3, 6))
"""Of `TRAVERSED`, all or some."""
TRAVERSALS: Mapping[str, str] = {
    "three-sda": "The paper's figure 2, top.",
    "three-none": "The paper's figure 2, top, for its baseline, which does not tell worlds apart.",
    "five-sda": "The paper's figures 3A and 8.",
}
AMBIGUITY = ("ambiguity-mnist", "ambiguity-fashion")


def frames_of(series: Mapping[str, Any]) -> np.ndarray:
    """The sheet of frames that a series carries, uint8, shape `[R, K, C, H, W]`."""
    return tiles_from_text(series["sheet"], rows=series["sheet_rows"], columns=series["sheet_columns"])


def draw_traversals(cells: Sequence[Cell], life: str) -> list[Drawn]:
    """Traversals at the end of the smallest seed's life (`traversals_<life>`)."""
    found = [cell for cell in of_arm(cells, f"traversals-{life}") if cell.series.get("traversals")]
    if not found:
        return []
    traversals = found[0].series["traversals"]
    chosen = next((some for some in VALUES if len(some) * len(traversals) <= COLUMNS), VALUES[-1])
    worlds = [
        WorldTraversals(
            world=name,
            environment=one["environment"],
            frames=frames_of(one)[:, list(chosen)],
            information=np.array(one["information"]),
        )
        for name, one in traversals.items()
    ]
    arm = arm_name(life.partition("-")[2])
    return [
        Drawn(
            name=f"traversals_{life.replace('-', '_')}",
            figure=traversal_grid(worlds, values=[TRAVERSED[place] for place in chosen]),
            alt=f"Traversals of single latents in each world, {arm}",
            caption=f"{arm} at the end of life: each row sets one latent to values from -2 to 2, seeded with a test "
            "frame of each world and decoded as the environment it was given. A latent with long bars in two worlds "
            f"should change the same thing in both blocks. {TRAVERSALS[life]}",
            seeds=str(found[0].seed),
        )
    ]


def ambiguity(cells: Sequence[Cell]) -> list[Part]:
    """What mixtures of two worlds are taken for, and decoded to (`ambiguity_…`, `ambiguity_…_decoded`)."""
    parts: list[Part] = []
    folders = sorted({cell.arm for cell in cells if cell.arm.startswith(PREFIX) and cell.arm.endswith(LOOK)})
    for arm in (*AMBIGUITY, *folders):
        found = of_arm(cells, arm)
        cell = first_with_sheet(found, "ambiguity")
        if cell is not None:
            parts += _ambiguity(cell)
        parts += notes(found, "ambiguity")
    return parts


def _ambiguity(cell: Cell) -> list[Part]:
    series, name = cell.series["ambiguity"], cell.arm.replace("-", "_")
    first, second = series["worlds"]
    taken = Drawn(
        name=name,
        figure=_taken(series),
        alt=f"Probability that mixtures of {first} and {second} are {first}, by their weight",
        caption=f"Mixtures of {first} and {second} frames, the environment's probability by weight, and the spread of "
        "the code. Categorical perception is a steep step; company of real frames, which counts in the batch's "
        "average, moves it; doubt should show as a greater σ in the middle. The paper's figure 5A (there CelebA and "
        "inverse Fashion).",
        seeds=str(cell.seed),
    )
    decoded = Drawn(
        name=f"{name}_decoded",
        figure=_decoded(series),
        alt=f"Mixtures of {first} and {second} decoded as either world",
        caption=f"One mixture at each weight of {first}, and what it is decoded to as the one world and as the other. "
        "The paper's figure 5A, middle.",
        seeds=str(cell.seed),
    )
    return [taken, decoded, _decisions(series, seed=cell.seed)]


def _taken(series: Mapping[str, Any]) -> Figure:
    worlds = tuple(series["worlds"])
    companies = [Company(probability=np.array(series["single"]))]
    for key, world in zip(("first", "second"), worlds, strict=True):
        for share, curve in zip(series["shares"], series["averaged"][key], strict=True):
            if share:
                companies.append(Company(share=share, world=world, probability=np.array(curve)))
    return ambiguity_figure(
        np.array(series["weights"]),
        frames=frames_of(series)[0],
        companies=companies,
        spread=np.array(series["sigma_used"], dtype=np.float64),
        worlds=worlds,
        environments=tuple(series["environments"]),
    )


@styled
def _decoded(series: Mapping[str, Any]) -> Figure:
    frames, weights = frames_of(series), series["weights"]
    chosen = np.unique(np.linspace(0, len(weights) - 1, min(SHOWN, len(weights))).round().astype(int))
    sheet = Sheet([frames[:, chosen]], left=1.35, top=0.3)
    colours = [environment_colour(index) for index in series["environments"]]
    sheet.name_rows(["mixture", *(f"as {world}" for world in series["worlds"])], colours=[INK, *colours])
    sheet.name_columns(0, [f"{weights[place]:g}" for place in chosen])
    return sheet.figure


def _decisions(series: Mapping[str, Any], *, seed: int) -> Table:
    first, second = series["worlds"]
    boundaries = series["decision_boundaries"]
    rows = [
        (f"{share:.0%}", one, other)
        for share, one, other in zip(series["shares"], boundaries["first"], boundaries["second"], strict=True)
    ]
    return Table(
        header=("company", f"of {first}", f"of {second}"),
        rows=rows,
        caption=f"Weight of {first} from which a batch as a whole is taken for {first} (seed {seed}): in its own "
        f"company less should do than in that of {second}.",
    )
