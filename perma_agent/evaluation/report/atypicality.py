"""Figures: how far each latent strays from its prior over time, and which latents were masked for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from perma_agent.continual import LatentMaskConfig
from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.evaluation.report.style import ARMS, FAINT, INK, MUTED, mark_switches, new_figure, smoothed, styled

REACH = 32.0
"""The map's colours range from λ / `REACH` to λ · `REACH`; what lies beyond is drawn in the last ones."""
COLUMNS = 600
"""Most columns of a map; more batches than that are averaged."""
POINTS = 150
"""Stretches over which a line is averaged."""
NAMED = len(ARMS)
"""Most latents that are drawn in colour and named."""


@styled
def atypicality_lines(
    history: LearningHistory, *, worlds: Sequence[World], thresholds: LatentMaskConfig | None = None
) -> Figure:
    """Atypicality α of each latent over time, with the band around λ in which a mask is kept.

    What to see: latents that one world uses and the next does not cross the band at the switch (what they encode now
    stands still or is not there) and, if another environment uses them, are masked; latents that both worlds share stay
    below. Named in colour are those that were ever masked, then those that moved most across λ; the others
    are grey.

    Args:
        history: of the learner.
        worlds: the truth, first world first.
        thresholds: λ and its hysteresis; the learner's `config.mask`.
    """
    thresholds = thresholds or LatentMaskConfig()
    figure = new_figure(9.0, 3.8)
    axes = figure.subplots()
    alpha = np.stack([smoothed(latent, parts=POINTS) for latent in history.alpha.T.astype(np.float64)], axis=1)
    axes.axhspan(thresholds.low, thresholds.high, color=FAINT, alpha=0.7, linewidth=0, zorder=0)
    axes.axhline(thresholds.threshold, color=MUTED, linewidth=1.0, zorder=1)
    named = _most_telling(history, thresholds)
    for latent in range(alpha.shape[1]):
        if latent not in named:
            axes.plot(history.steps, alpha[:, latent], color=MUTED, linewidth=0.6, alpha=0.5, zorder=2)
    for colour, latent in zip(ARMS, named, strict=False):
        axes.plot(history.steps, alpha[:, latent], color=colour, linewidth=1.3, label=f"z{latent}", zorder=3)
    mark_switches(axes, worlds)
    axes.set_yscale("log")
    axes.set_ylim(bottom=max(1e-3, float(alpha.min())))
    axes.set_xlim(history.steps[0], history.steps[-1])
    axes.set(xlabel="batch", ylabel="atypicality α (nats)")
    axes.annotate(
        "λ",
        (1.0, thresholds.threshold),
        (4, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
    )
    if named:
        axes.legend(ncols=NAMED, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


@styled
def atypicality_map(
    history: LearningHistory, *, worlds: Sequence[World], thresholds: LatentMaskConfig | None = None
) -> Figure:
    """Atypicality of all latents over time as a heat map, and below it which of them were masked.

    What to see: orange is beyond λ, purple below. Rows that turn orange at a switch are latents whose use changed; in
    the lower map, the dark ones are
    masked, that is taken out of the present environment so that what they mean elsewhere is kept. A mask should hold
    until the world changes, not flicker. The lines in the colour bar are λ (full) and its band (dotted).

    Args:
        history: of the learner.
        worlds: the truth, first world first.
        thresholds: λ and its hysteresis; the learner's `config.mask`.
    """
    thresholds = thresholds or LatentMaskConfig()
    latents = history.alpha.shape[1]
    figure = new_figure(9.0, 1.6 + 2 * max(0.09 * latents, 0.9))
    above, below = figure.subplots(2, 1, sharex=True)
    scale = LogNorm(thresholds.threshold / REACH, thresholds.threshold * REACH, clip=True)
    image = _draw_map(above, _columns(history.alpha), history, colours=colormaps["PuOr_r"], scale=scale)
    bar = figure.colorbar(image, ax=above, pad=0.01, label="α (nats)")
    bar.ax.axhline(thresholds.threshold, color=INK, linewidth=1.5)
    for edge in (thresholds.low, thresholds.high):
        bar.ax.axhline(max(edge, float(scale.vmin or 0.0)), color=INK, linewidth=1.0, linestyle=":")
    above.set_title("atypicality")
    masked = _columns(~history.mask)
    shades = ListedColormap(["#f3f5f7", "#3b4754"])
    image = _draw_map(below, masked > 0.5, history, colours=shades, scale=Normalize(0, 1))
    bar = figure.colorbar(image, ax=below, pad=0.01, ticks=[0.25, 0.75])
    bar.ax.set_yticklabels(["in use", "masked"])
    below.set_title("latent mask")
    below.set_xlabel("batch")
    for axes in (above, below):
        mark_switches(axes, worlds)
        axes.set_ylabel("latent")
    return figure


def _draw_map(
    axes: Axes, values: np.ndarray, history: LearningHistory, *, colours: Colormap, scale: Normalize
) -> AxesImage:
    extent = (history.steps[0] - 0.5, history.steps[-1] + 0.5, values.shape[1] - 0.5, -0.5)
    axes.grid(visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    return axes.imshow(values.T, aspect="auto", interpolation="nearest", extent=extent, cmap=colours, norm=scale)


def _columns(values: np.ndarray) -> np.ndarray:
    """Means over at most `COLUMNS` equal stretches of batches, shape `[columns, D]`."""
    edges = np.linspace(0, len(values), min(COLUMNS, len(values)) + 1).astype(int)
    return np.add.reduceat(values.astype(np.float64), edges[:-1]) / np.diff(edges)[:, None]


def _most_telling(history: LearningHistory, thresholds: LatentMaskConfig) -> list[int]:
    """At most `NAMED` latents: first those ever masked, then those whose α spent most time on either side of λ."""
    ever_masked = np.asarray((~history.mask).any(axis=0))
    above = np.asarray((history.alpha > thresholds.threshold).mean(axis=0))
    divided = np.minimum(above, 1 - above)
    order = np.lexsort((-divided, ~ever_masked))
    return [int(latent) for latent in order if ever_masked[latent] or divided[latent] > 0][:NAMED]
