"""Figure: imagined frames beside the frames met that they were composed from."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from perma_agent.evaluation.imagined import Imagined
from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import styled

COLUMNS = ("met", "as drawn", "imagined", "donor")
INCHES_A_LETTER = 0.07
"""Of the names of the rows, two lines each."""


@styled
def imagined_frames(imagined: Imagined) -> Figure:
    """A row for each configuration: frame met, its reconstruction, the configuration drawn, and a donor's frame.

    What to see: whether what is imagined differs from the frame met in what the donor shows, and in nothing else; the
    second column says how much of a difference is the drawing's, the title how much of codes that were met comes back
    when they are drawn and looked at. A white donor was not met but drawn from what is
    remembered of another environment. Left: kind, how many latents were replaced (which, if few), novelty and
    plausibility.

    Args:
        imagined: at least one configuration.
    """
    columns = (imagined.base, imagined.reconstruction, imagined.drawn, imagined.donor)
    names = [_name(imagined, row) for row in range(len(imagined))]
    longest = max(len(line) for name in names for line in name.splitlines())
    sheet = Sheet([np.stack(columns, axis=1)], left=0.2 + INCHES_A_LETTER * longest, top=0.6)
    sheet.title(0, f"{imagined.comes_back:.0%} of what was met comes back")
    sheet.name_columns(0, COLUMNS)
    sheet.name_rows(names)
    return sheet.figure


def _name(imagined: Imagined, row: int) -> str:
    replaced = imagined.replaced[row]
    which = f"{len(replaced)} latents" if len(replaced) > 3 else "z " + " ".join(map(str, replaced))
    judged = f"{imagined.novelty[row]:.2f} novel, {imagined.plausibility[row]:.2f} plausible"
    return f"{imagined.kinds[row]}, {which}\n{judged}"
