"""Figures of what the model draws: reconstructions, traversals of single latents, and frames carried between worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import INK, MUTED, environment_colour, styled
from perma_agent.evaluation.traversals import CrossDomain

ROWS = 10
"""Latents shown in a traversal sheet, the most telling first."""


@styled
def reconstruction_sheet(
    worlds: Mapping[str, tuple[np.ndarray, np.ndarray]], *, environments: Sequence[int | None] | None = None
) -> Figure:
    """Frames of each world beside their reconstructions, one frame a row.

    What to see: walls, floor and large objects must come back in the right place, in both worlds, the first one too
    after the second has been learnt. Small things and textures are what a code of few nats leaves out.

    Args:
        worlds: by name, originals and reconstructions, uint8, both of shape `[B, C, H, W]`, B alike in all.
        environments: the environment each world was reconstructed as, for the colour of its name.
    """
    sheet = Sheet([np.stack(pair, axis=1) for pair in worlds.values()], top=0.72)
    for block, name in enumerate(worlds):
        environment = environments[block] if environments is not None else None
        sheet.title(
            block, name if environment is None else f"{name}\nenvironment {environment}", colour=_colour(environment)
        )
        sheet.name_columns(block, ["original", "reconstruction"])
    return sheet.figure


@styled
def traversal_sheet(
    frames: np.ndarray,
    *,
    values: Sequence[float],
    information: np.ndarray,
    environment: int,
    masked: np.ndarray | None = None,
    rows: int = ROWS,
) -> Figure:
    """One latent a row, set to one value a column, all else as in one frame; the most telling latents first.

    What to see: in a disentangled code a row changes one thing (heading, distance, colour, light) and a row without
    information changes nothing. A latent that means the same in the other environment's sheet is a homology.

    Args:
        frames: uint8, shape `[D, K, C, H, W]`, as `latent_traversals` draws them of all latents.
        values: the K values.
        information: nats of each latent, shape `[D]`, as `information_per_latent` gives them.
        environment: s they were decoded as.
        masked: which latents that environment masks, bool, shape `[D]`.
        rows: how many to show.
    """
    if len(frames) != len(information) or frames.shape[1] != len(values):
        raise ValueError(
            f"expected one row of frames for each of {len(information)} latents and one column for each of "
            f"{len(values)} values, got {frames.shape[:2]}"
        )
    order = np.argsort(-information, kind="stable")[:rows]
    sheet = Sheet([frames[order]], left=1.15, top=0.55)
    hidden = np.zeros(len(frames), dtype=bool) if masked is None else np.asarray(masked, dtype=bool)
    names = [f"z{n}  {'masked' if hidden[n] else f'{information[n]:.1f} nats'}" for n in order]
    sheet.name_rows(names, colours=[MUTED if hidden[n] else INK for n in order])
    sheet.name_columns(0, [f"{value:+.1f}" if value else "0" for value in values])
    sheet.title(0, f"environment {environment}", colour=environment_colour(environment))
    return sheet.figure


@styled
def cross_domain_sheet(
    carried: Sequence[CrossDomain], *, names: Sequence[str], environments: Sequence[tuple[int, int]]
) -> Figure:
    """Frames decoded as their own environment, as another, and after coming back; one direction a block.

    What to see: what both worlds share (where the walls, the way and the object are) should survive abroad while the
    surface changes to that of the other world; what returns shows how much of the frame the other code can hold.

    Args:
        carried: one for each direction, all with as many frames.
        names: of each direction, e.g. `indoor → outdoor`.
        environments: (home, abroad) of each direction.
    """
    blocks = [np.stack([one.frames, one.at_home, one.abroad, one.back], axis=1) for one in carried]
    sheet = Sheet(blocks, top=0.55)
    for block, (name, (home, abroad)) in enumerate(zip(names, environments, strict=True)):
        sheet.title(block, name, colour=environment_colour(home))
        sheet.name_columns(block, ["frame", f"as {home}", f"as {abroad}", f"back as {home}"])
    return sheet.figure


def _colour(environment: int | None) -> str:
    return INK if environment is None else environment_colour(environment)
