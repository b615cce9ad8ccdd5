"""Figure: scores of several arms over training, each line named where it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perma_agent.evaluation.report.seed_lines import check_lives, check_series
from perma_agent.evaluation.report.style import ARMS, FAINT, INK, new_figure, styled

DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
"""Of lines: the second for arms whose colour has come round again, and so on."""
WIDTH, HEIGHT = 9.0, 3.9
LEFT, BELOW, ABOVE, LETTER = 0.45, 0.5, 0.35, 0.075
"""Inches left of, below and above a panel, and right of it for each letter of the longest name."""
APART = 0.06
"""Least distance of two names, as a share of a panel's height."""


@dataclass(frozen=True, kw_only=True)
class ScoreSeries:
    """Scores of one seed at K moments of its training."""

    steps: np.ndarray
    """Learning steps until then, shape `[K]`, increasing."""
    scores: Mapping[str, np.ndarray]
    """By measure, shape `[K]`."""

    def __post_init__(self) -> None:
        check_series(self.steps, list(self.scores.items()))


@styled
def score_curves(arms: Mapping[str, Sequence[ScoreSeries]], *, leading: str | None = None) -> Figure:
    """Mean over seeds of each measure against training steps, one panel a measure, one line an arm.

    What to see: which arms are still rising when the budget ends, and whether the order of the arms was the same on the
    way. The leading arm's line is thick; shaded is the range of its seeds.

    Args:
        arms: the seeds of each arm, those of an arm at the same steps; all with the same measures.
        leading: the arm to set off from the others.

    Raises:
        ValueError: no arms, or seeds without a common mean.
    """
    check_lives(arms)
    measures = list(next(iter(arms.values()))[0].scores)
    others = [arm for arm in arms if arm != leading]
    looks: dict[str, Any] = {arm: _look(place) for place, arm in enumerate(others)}
    if leading is not None:
        looks[leading] = {"color": INK, "linestyle": "-", "linewidth": 2.6}
    figure = new_figure(WIDTH, HEIGHT, layout=None)  # a layout of matplotlib's own moves with the names each time
    letters = max(len(arm) for arm in arms)
    for place, measure in enumerate(measures):
        axes = _panel(figure, place, len(measures), letters=letters)
        ends: list[tuple[str, float, str]] = []
        for arm, seeds in arms.items():
            steps, values = seeds[0].steps, np.stack([seed.scores[measure] for seed in seeds])
            mean = values.mean(axis=0)
            if arm == leading and len(values) > 1:
                axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=FAINT, linewidth=0)
            axes.plot(steps, mean, marker="o", markersize=3, **looks[arm])
            ends.append((arm, float(mean[-1]), looks[arm]["color"]))
        last = max(int(seed.steps[-1]) for seeds in arms.values() for seed in seeds)
        axes.set(title=measure, xlabel="training steps", xlim=(0, last))
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        _name_ends(axes, ends, leading=leading)
    return figure


def _panel(figure: Figure, place: int, panels: int, *, letters: int) -> Axes:
    """One of several panels side by side, with room for so many letters right of it."""
    room = WIDTH / panels
    wide = max(room - LEFT - LETTER * letters - 0.3, 0.3 * room)
    return figure.add_axes(
        ((place * room + LEFT) / WIDTH, BELOW / HEIGHT, wide / WIDTH, (HEIGHT - BELOW - ABOVE) / HEIGHT)
    )


def _look(place: int) -> dict[str, Any]:
    """Colour and dashes of the arm at that place."""
    return {
        "color": ARMS[place % len(ARMS)],
        "linestyle": DASHES[place // len(ARMS) % len(DASHES)],
        "linewidth": 1.5,
    }


def _name_ends(axes: Axes, ends: Sequence[tuple[str, float, str]], *, leading: str | None) -> None:
    """Names right of the panel at the height of the lines' ends, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda end: end[1])
    wanted = np.array([(value - low) / (high - low) for _, value, _ in order])
    for (arm, _, colour), at, place in zip(order, wanted, spread(wanted, apart=APART), strict=True):
        axes.plot((1.005, 1.035), (at, place), transform=axes.transAxes, color=FAINT, linewidth=0.8, clip_on=False)
        weight = "bold" if arm == leading else "normal"
        axes.text(1.045, place, arm, transform=axes.transAxes, color=colour, va="center", fontsize=8, weight=weight)


def spread(wanted: np.ndarray, *, apart: float) -> np.ndarray:
    """Places in [0, 1] at least so far apart, as near to those wanted as their order allows.

    Args:
        wanted: ascending, shape `[N]`.
        apart: least distance; made smaller where N places would not fit.
    """
    count = len(wanted)
    apart = min(apart, 1 / max(count - 1, 1))
    places = np.clip(wanted.astype(np.float64), 0, 1)
    for index in range(1, count):
        places[index] = max(places[index], places[index - 1] + apart)
    places[-1:] = np.minimum(places[-1:], 1.0)
    for index in range(count - 2, -1, -1):
        places[index] = min(places[index], places[index + 1] - apart)
    return places
