"""Figure: which policy succeeds on which level, with counts and intervals."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from perma_agent.evaluation.policies import EpisodeStatistics
from perma_agent.evaluation.report.style import INK, MUTED, PAPER, new_figure, styled

SHADES = LinearSegmentedColormap.from_list("successes", colormaps["BuPu"]([0.0, 0.25, 0.5, 0.75, 0.95]))


@styled
def success_matrix(episodes: Mapping[str, Mapping[str, EpisodeStatistics]]) -> Figure:
    """Success rate of each policy (rows) on each level (columns).

    What to see: the trained policy's row must be darker than the random one's, and the intervals in the cells (Wilson,
    95%, over episodes) must not overlap before one may say so. The column of the level that it was not trained on shows
    what transfers. A star says that the level does not report success, and that a positive return at an episode's own
    end was counted.

    Args:
        episodes: by policy and then by level; each policy on the same levels.
    """
    levels = list(next(iter(episodes.values())))
    if any(list(row) != levels for row in episodes.values()):
        raise ValueError(f"expected every policy on {levels}, got {[list(row) for row in episodes.values()]}")
    figure = new_figure(1.9 + 2.0 * len(levels), 0.8 + 0.95 * len(episodes))
    axes = figure.subplots()
    rates = [[row[level].success_rate for level in levels] for row in episodes.values()]
    image = axes.imshow([[rate.value for rate in row] for row in rates], cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(episodes.values()):
        for x, level in enumerate(levels):
            rate, one = rates[y][x], row[level]
            counts = f"{int(one.successes.sum())} of {one.episodes}{'' if one.reported else '*'}"
            colour = PAPER if rate.value > 0.55 else INK
            axes.text(
                x, y - 0.17, f"{rate.value:.0%}", ha="center", va="center", fontsize=15, weight="bold", color=colour
            )
            interval = f"{counts}   [{rate.low:.0%}, {rate.high:.0%}]"
            axes.text(x, y + 0.2, interval, ha="center", va="center", fontsize=8.5, color=colour)
    axes.set_xticks(range(len(levels)), levels)
    axes.set_yticks(range(len(episodes)), list(episodes))
    axes.tick_params(length=0, labelsize=9)
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.hlines([y + 0.5 for y in range(len(episodes) - 1)], -0.5, len(levels) - 0.5, color=PAPER, linewidth=3)
    axes.vlines([x + 0.5 for x in range(len(levels) - 1)], -0.5, len(episodes) - 0.5, color=PAPER, linewidth=3)
    if not all(one.reported for row in episodes.values() for one in row.values()):
        axes.set_xlabel("* a positive return at the episode's own end counts as success", fontsize=8, color=MUTED)
        axes.xaxis.set_label_position("bottom")
    figure.colorbar(image, ax=axes, label="success rate", format=PercentFormatter(1.0), pad=0.02)
    return figure
