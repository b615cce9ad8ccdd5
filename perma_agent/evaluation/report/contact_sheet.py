"""Figure: some frames of each level in a trajectory store."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from perma_agent.data import TrajectoryStore
from perma_agent.errors import StoreError
from perma_agent.evaluation.report.frame_sheets import Sheet
from perma_agent.evaluation.report.style import styled

INCHES_A_LETTER = 0.075
"""Of the names of the rows."""


@styled
def contact_sheet(store: TrajectoryStore, *, columns: int = 8) -> Figure:
    """Frames of each level (rows), evenly spread over all that was recorded of it, the oldest first.

    What to see: whether the levels show what they should, whether the agent gets about, and whether frames are whole.

    Args:
        store: at least one trajectory.
        columns: frames of each level.

    Raises:
        StoreError: the store is empty or damaged.
    """
    index = store.index
    if not len(index):
        raise StoreError(f"expected trajectories in {store.path}, got an empty store; record some first")
    rows = []
    for code in range(len(index.levels)):
        chosen = np.flatnonzero(index.level_codes == code)
        lengths = index.lengths[chosen]
        places = np.linspace(0, lengths.sum() - 1, columns).astype(np.int64)  # among the level's own frames
        which = np.searchsorted(np.cumsum(lengths), places, side="right")
        before = np.cumsum(lengths)[which] - lengths[which]
        rows.append(store.frames(index.starts[chosen[which]] + places - before))
    frames = np.stack(rows).transpose(0, 1, 4, 2, 3)
    sheet = Sheet([frames], left=0.2 + INCHES_A_LETTER * max(map(len, index.levels)), top=0.2)
    sheet.name_rows(index.levels)
    return sheet.figure
