"""Figure: which environment ambiguous frames are given to, by how ambiguous they are and by the company they keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from perma_agent.evaluation.report.style import ARMS, DPI, MUTED, environment_colour, new_figure, styled
from perma_agent.types import check_frames

SHOWN = 11
"""Most frames in the strip."""
STRIP_PIXELS = 720
"""Pixels of the saved figure that the frames of the strip may take together."""


SIZE = (8.6, 5.6)
"""Inches of the figure."""
PLACES = tuple((0.09, bottom, 0.68, height) for bottom, height in ((0.88, 0.1), (0.36, 0.5), (0.09, 0.23)))
"""Left, bottom, width and height of strip, probability and spread, in shares of the figure."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """How ambiguous frames were taken in one kind of batch."""

    share: float = 0.0
    """Of the batch that was real frames of `world`, in [0, 1); 0 where all frames were ambiguous."""
    world: str = ""
    """Whose frames they were; one of the two worlds."""
    probability: np.ndarray
    """q(s = first | x) of the ambiguous frames at each weight, shape `[W]`, in [0, 1]."""

    @property
    def name(self) -> str:
        """For the legend."""
        return f"{self.share:.0%} {self.world}" if self.share else "no company"


@styled
def ambiguity_figure(
    weights: np.ndarray,
    *,
    frames: np.ndarray,
    companies: Sequence[Company],
    spread: np.ndarray,
    worlds: tuple[str, str],
    environments: tuple[int, int] = (0, 1),
) -> Figure:
    """Frames between two worlds, the probability that they are the first's, and how uncertain their code is.

    What to see: a categorical perception is a steep step from 0 to 1 and not a slope. Company of real frames of the
    first world should move the step to the left (what is ambiguous is taken for the first), company of the second to
    the right; the greater its share, the further. Below, the spread of the code should be greatest where the frames are
    most ambiguous.

    Args:
        weights: of the first world's frame in x = w · first + (1 - w) · second, shape `[W]`, increasing, in [0, 1].
        frames: one example at each weight, uint8, shape `[W, C, H, W]`; at most `SHOWN` of them are drawn.
        companies: a curve each.
        spread: σ averaged over the used latents and the frames, shape `[W]`.
        worlds: names of the first and of the second.
        environments: s that each of them was settled as, for the colours.

    Raises:
        FrameError: what are no frames.
        ValueError: arrays that do not fit the weights, or company of another world.
    """
    _check(weights, frames=frames, companies=companies, spread=spread, worlds=worlds)
    figure = new_figure(*SIZE, layout=None)  # matplotlib's layout moves by a hair, and whole frames with it
    strip, taken, uncertain = (figure.add_axes(place) for place in PLACES)
    _draw_strip(strip, weights, frames)
    for company in companies:
        colour = _colour(company, worlds, environments)
        taken.plot(weights, company.probability, color=colour, marker="o", markersize=2.5, label=company.name)
    taken.set_ylim(-0.04, 1.04)
    taken.set_ylabel(f"q(s = {worlds[0]} | x)")
    taken.legend(title="company", loc="center left", bbox_to_anchor=(1.01, 0.5), title_fontsize=8)
    uncertain.plot(weights, spread, color=ARMS[0], marker="o", markersize=2.5)
    uncertain.set_ylabel("mean σ of used latents")
    uncertain.set_xlabel(f"weight of {worlds[0]} (0: {worlds[1]} alone, 1: {worlds[0]} alone)")
    for axes in (strip, taken, uncertain):
        axes.set_xlim(weights[0] - 0.04, weights[-1] + 0.04)
    taken.tick_params(labelbottom=False)
    return figure


def _draw_strip(axes: Axes, weights: np.ndarray, frames: np.ndarray) -> None:
    chosen = np.unique(np.linspace(0, len(weights) - 1, min(SHOWN, len(weights))).round().astype(int))
    enlarged = max(1, STRIP_PIXELS // (frames.shape[-1] * len(chosen)))
    for index in chosen:
        frame = frames[index].transpose(1, 2, 0)
        rgb = np.broadcast_to(frame, (*frame.shape[:2], 3)).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
        picture = OffsetImage(rgb, zoom=72 / DPI, interpolation="nearest")  # one pixel of it is one when saved
        axes.add_artist(AnnotationBbox(picture, (float(weights[index]), 0.5), frameon=False, pad=0))
    axes.set(ylim=(0, 1), yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False)
    axes.grid(visible=False)


def _colour(company: Company, worlds: tuple[str, str], environments: tuple[int, int]) -> str:
    """From grey without company to the colour of its environment, the nearer the more there is of it."""
    if not company.share:
        return MUTED
    red, green, blue = to_rgb(environment_colour(environments[worlds.index(company.world)]))
    white = 0.65 * (1 - company.share)
    return to_hex((white + (1 - white) * red, white + (1 - white) * green, white + (1 - white) * blue))


def _check(
    weights: np.ndarray,
    *,
    frames: np.ndarray,
    companies: Sequence[Company],
    spread: np.ndarray,
    worlds: tuple[str, str],
) -> None:
    check_frames(frames, ndim=4)
    if weights.ndim != 1 or len(weights) < 2 or (np.diff(weights) <= 0).any():
        raise ValueError(f"expected at least two increasing weights, got {weights.tolist()}")
    lengths = {"frames": len(frames), "spread": len(spread)}
    lengths |= {company.name: len(company.probability) for company in companies}
    wrong = [f"{length} of {name}" for name, length in lengths.items() if length != len(weights)]
    if wrong:
        raise ValueError(f"expected one value at each of {len(weights)} weights, got {', '.join(wrong)}")
    for company in companies:
        if not 0 <= company.share < 1 or (company.share and company.world not in worlds):
            raise ValueError(f"expected a share below 1 of {worlds[0]} or {worlds[1]}, got {company.name}")
