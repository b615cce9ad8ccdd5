"""Pretraining: a learner goes through batches of frame pairs, as long as it is told to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from perma_agent.continual import Learner, Update
from perma_agent.data import PairSource


def pretrain(
    learner: Learner,
    source: PairSource,
    *,
    updates: int,
    pairs: int = 32,
    rng: np.random.Generator,
    on_update: Callable[[Update], bool | None] | None = None,
) -> None:
    """Show the learner `updates` batches; it is told nothing else.

    Args:
        learner: trained in place.
        source: of frame pairs, e.g. a `PairSampler` over a store.
        updates: batches.
        pairs: in each batch.
        rng: of the choice of pairs.
        on_update: called with each update, for a progress bar; if it returns False, this was the last.

    Raises:
        FrameError: the frames do not fit the model.
        StoreError: the store cannot be read.
    """
    for _ in range(updates):
        update = learner.update(source.draw(pairs, rng=rng))
        if on_update is not None and on_update(update) is False:
            return
