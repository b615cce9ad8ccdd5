"""Figure: coverage over steps or time, one panel a level, one line an arm with its interval over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from perma_agent.evaluation.report.style import ARMS, INK, new_figure, styled
from perma_agent.evaluation.statistics import iqm

COLUMNS = 2
"""Panels side by side."""
BANDED = 3
"""Seeds from which a line has a band: that of two is the two themselves, and nine of them hide the lines."""
RESAMPLES = 2_000
"""Times seeds are drawn again for the band of a line."""
DASHES = ("-", (0, (4, 1.5)))
"""Of lines: the second for arms whose colour has come round again."""


@dataclass(frozen=True, kw_only=True)
class CoverageSeries:
    """Coverage of all seeds of one arm at K common moments."""

    at: np.ndarray
    """Steps, or whatever the horizontal axis is of, ascending, shape `[K]`."""
    shares: np.ndarray
    """In [0, 1], shape `[seeds, K]`."""

    def __post_init__(self) -> None:
        if self.shares.ndim != 2 or self.shares.shape[1:] != self.at.shape or not self.shares.size:
            raise ValueError(f"expected shares [seeds, K] for K moments, got {self.shares.shape} and {self.at.shape}")

    @property
    def middle(self) -> np.ndarray:
        """Interquartile mean over seeds, shape `[K]`."""
        return np.asarray(iqm(self.shares, axis=0))

    def band(self, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """95% bootstrap interval of the same at each moment, whole seeds resampled, shape `[K]` each."""
        count = len(self.shares)
        drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
        resampled = iqm(self.shares[drawn], axis=1)
        low, high = np.percentile(resampled, (2.5, 97.5), axis=0)
        return low, high


@styled
def coverage_curves(
    levels: Mapping[str, Mapping[str, CoverageSeries]],
    *,
    along: str,
    measure: str = "reachable cells met",
    leading: str | None = None,
    colours: Mapping[str, str] | None = None,
) -> Figure:
    """Interquartile mean of coverage, one panel a level, one line an arm; shaded is its 95% interval over seeds.

    What to see: who rises fastest, and who still rises at the end. Bands that do not touch are a difference that seeds
    do not explain. An arm with fewer than `BANDED` seeds has no band.

    Args:
        levels: title of each panel, and in it the series of each arm.
        along: what the horizontal axis is.
        measure: what the vertical axis is.
        leading: the arm whose line is thick.
        colours: of the arms; if not given, in the order in which they are met.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not levels or not all(levels.values()):
        raise ValueError("expected at least one level with at least one arm, got none")
    names = list(dict.fromkeys(arm for arms in levels.values() for arm in arms))
    colours = {**arm_looks(names), **(colours or {})}
    columns = min(COLUMNS, len(levels))
    rows = -(-len(levels) // columns)
    figure = new_figure(0.6 + 4.3 * columns, 0.9 + 2.6 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, arms) in zip(grid.flat, levels.items(), strict=False):
        for arm, series in arms.items():
            first = arm == leading
            _draw(
                axes, series, label=arm, colour=INK if first else colours[arm], first=first, dashes=_dashes(names, arm)
            )
        axes.set_title(title)
        axes.set_xlabel(along)
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(left=0.0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axes in grid.flat[len(levels) :]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_ylabel(measure)
    lines = {line.get_label(): line for axes in grid.flat for line in axes.get_lines()}
    shown = [name for name in names if name in lines]
    figure.legend([lines[name] for name in shown], shown, loc="outside lower center", ncols=min(len(shown), 4))
    return figure


def arm_looks(names: list[str]) -> dict[str, str]:
    """A colour for each arm in their order; from the eighth on they come round again."""
    return {name: ARMS[place % len(ARMS)] for place, name in enumerate(names)}


def _dashes(names: list[str], arm: str) -> Any:
    return DASHES[names.index(arm) // len(ARMS) % len(DASHES)]


def _draw(axes: Axes, series: CoverageSeries, *, label: str, colour: str, first: bool, dashes: Any) -> None:
    if len(series.shares) >= BANDED:
        low, high = series.band()
        axes.fill_between(series.at, low, high, color=colour, alpha=0.18, linewidth=0, zorder=2)
    axes.plot(
        series.at,
        series.middle,
        color=colour,
        linewidth=2.6 if first else 1.5,
        linestyle=dashes,
        label=label,
        zorder=4 if first else 3,
    )
