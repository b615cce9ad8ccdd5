"""Lines of an arm: each seed thin, their mean thick, all in the arm's colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from perma_agent.evaluation.report.style import ARMS


class Series(Protocol):
    """What was measured of one seed at some moments of its life."""

    @property
    def steps(self) -> np.ndarray:
        """Batches seen until each moment, shape `[K]`."""


def draw_seeds(axes: Axes, steps: np.ndarray, values: np.ndarray, *, colour: str, label: str) -> None:
    """Draw the seeds of one arm and their mean, which alone is named in a legend.

    Args:
        axes: to draw in.
        steps: shape `[K]`.
        values: shape `[seeds, K]`; NaN where there is nothing to draw.
        colour: of the arm.
        label: its name.
    """
    for seed in values if len(values) > 1 else ():
        axes.plot(steps, seed, color=colour, linewidth=0.7, alpha=0.45, zorder=2)
    axes.plot(steps, values.mean(axis=0), color=colour, linewidth=2.0, label=label, zorder=3)


def arm_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each arm, in the order given; from the eighth on they come round again."""
    return {name: ARMS[index % len(ARMS)] for index, name in enumerate(names)}


def check_lives(lives: Mapping[str, Sequence[Series]]) -> None:
    """Refuse arms whose seeds have no mean.

    Raises:
        ValueError: no arms, an arm without seeds, or one whose seeds were measured at different steps.
    """
    empty = [arm for arm, seeds in lives.items() if not seeds]
    if empty or not lives:
        raise ValueError(f"expected at least one seed of each arm, got none of {', '.join(empty) or 'any'}")
    for arm, seeds in lives.items():
        if any(not np.array_equal(seed.steps, seeds[0].steps) for seed in seeds):
            raise ValueError(f"expected the seeds of an arm to be measured at the same steps, got others in {arm}")


def check_series(steps: np.ndarray, series: Sequence[tuple[str, np.ndarray]]) -> None:
    """Refuse series that do not fit their steps.

    Raises:
        ValueError: naming the first that does not.
    """
    if steps.ndim != 1 or not len(steps) or (np.diff(steps) <= 0).any():
        raise ValueError(f"expected increasing steps, at least one, got {steps.tolist()}")
    for name, values in series:
        if values.shape != steps.shape:
            raise ValueError(f"expected one value at each of {len(steps)} steps of {name}, got shape {values.shape}")
