"""Scores of a life: how well its probes did at best, what they lost, and what the learner made of the worlds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

WITHIN = 5
"""Batches within which a switch must be noticed to count as found."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one probe's figure; the paper's "change" is one of these, nobody knows which.

    For figures of which more is worse (a squared error), best is the least, worst the largest, and all changes are
    positive where something was lost.
    """

    best: float
    """Over all examinations."""
    final_less_best: float
    """Definition (i), the one we lead with: the figure at the end of life, less the best."""
    worst_less_own: float
    """(ii): the worst after the end of the world which the probe is about, less the figure at that end; 0 where the
    life ends with that world."""
    later_less_best: float
    """(iii): the mean over the examinations after that end, less the best; 0 where there are none."""

    @classmethod
    def of(cls, figures: Sequence[float], *, steps: Sequence[int], own_end: int, more_is_worse: bool = False) -> Change:
        """Compute the three definitions.

        Args:
            figures: of one probe, one at each examination.
            steps: after which batch each examination was.
            own_end: last batch of the (first) visit to the world the probe is about; one of `steps`.
            more_is_worse: whether the figure is an error.

        Raises:
            ValueError: figures and steps do not fit, or there was no examination at `own_end`.
        """
        values, at = np.asarray(figures, dtype=np.float64), np.asarray(steps)
        if values.shape != at.shape or own_end not in at:
            raise ValueError(
                f"expected one figure for each of the {len(at)} examinations, one of them after batch {own_end}, "
                f"got {len(values)} figures at {at.tolist()}"
            )
        best, worst = (np.min, np.max) if more_is_worse else (np.max, np.min)
        later = values[at > own_end]
        own = float(values[at == own_end][0])
        return cls(
            best=float(best(values)),
            final_less_best=float(values[-1] - best(values)),
            worst_less_own=float(worst(later) - own) if len(later) else 0.0,
            later_less_best=float(later.mean() - best(values)) if len(later) else 0.0,
        )


def mean_change(changes: Mapping[str, Change]) -> Change:
    """The average over probes, as the paper averages over its classifiers.

    Raises:
        ValueError: there are none.
    """
    if not changes:
        raise ValueError("expected at least one probe, got none")
    names = ("best", "final_less_best", "worst_less_own", "later_less_best")
    return Change(**{name: float(np.mean([getattr(change, name) for change in changes.values()])) for name in names})
