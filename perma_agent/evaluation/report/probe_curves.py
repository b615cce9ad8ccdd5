"""Figure: what probes read off the latents throughout a life, world by world and arm by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, StrMethodFormatter

from perma_agent.evaluation.history import World
from perma_agent.evaluation.report.seed_lines import arm_colours, check_lives, check_series, draw_seeds
from perma_agent.evaluation.report.style import FAINT, mark_switches, new_figure, styled
from perma_agent.evaluation.report.truth import draw_truth, stretches

POINTS = 1e2
"""Accuracies are drawn in percent."""
TEN_THOUSANDTHS = 1e4
"""Squared errors are drawn in units of 1e-4."""


@dataclass(frozen=True, kw_only=True)
class ProbeSeries:
    """What the probes of one seed found at K moments of its life."""

    steps: np.ndarray
    """Batches seen until then, shape `[K]`, increasing."""
    accuracy: Mapping[str, np.ndarray]
    """Share of objects told right in each classified world, shape `[K]`, in [0, 1]."""
    position_mse: Mapping[str, np.ndarray]
    """Mean squared error of the place in each located world, coordinates in [0, 1], shape `[K]`, positive."""

    def __post_init__(self) -> None:
        check_series(
            self.steps,
            [
                *((f"accuracy in {world}", values) for world, values in self.accuracy.items()),
                *((f"position error in {world}", values) for world, values in self.position_mse.items()),
            ],
        )
        for world, values in self.accuracy.items():
            if not ((values >= 0) & (values <= 1)).all():
                raise ValueError(f"expected accuracies within 0 and 1 in {world}, got {values.min()} to {values.max()}")
        for world, values in self.position_mse.items():
            if not (values > 0).all():
                raise ValueError(f"expected positive position errors in {world}, got {values.min()}")


@styled
def probe_curves(lives: Mapping[str, Sequence[ProbeSeries]], *, worlds: Sequence[World], batches: int) -> Figure:
    """Accuracy of each world's classifier and error of each world's position regressor against the batches seen.

    What to see: within its own world (grey ground) a curve gets better, and after the switch (dashed) it should stay
    where it was: accuracies that fall and errors that rise in a later world are what was forgotten. A curve that gets
    better before its own world has come was helped by what the worlds share. Thin: seeds; thick: their mean. Squared
    errors are those of coordinates in [0, 1] and on a logarithmic axis, lower is better.

    Args:
        lives: the seeds of each arm; all with probes of the same worlds, those of an arm at the same steps.
        worlds: the truth, first world first.
        batches: of a whole life.

    Raises:
        ValueError: no lives, or lives that cannot be averaged.
    """
    classified, located = _probed_worlds(lives, worlds)
    panels = len(classified) + len(located)
    figure = new_figure(9.0, 0.9 + 1.65 * panels)
    truth, *axes = figure.subplots(1 + panels, 1, sharex=True, height_ratios=[0.18, *[1.0] * panels])
    draw_truth(truth, worlds, last=batches)
    objects, places = axes[: len(classified)], axes[len(classified) :]
    for one, world in zip(axes, classified + located, strict=True):
        _draw_ground(one, world, worlds, batches=batches)
    for (arm, colour), seeds in zip(arm_colours(lives).items(), lives.values(), strict=True):
        for one, world in zip(objects, classified, strict=True):
            percent = np.stack([seed.accuracy[world] for seed in seeds]) * POINTS
            draw_seeds(one, seeds[0].steps, percent, colour=colour, label=arm)
        for one, world in zip(places, located, strict=True):
            errors = np.stack([seed.position_mse[world] for seed in seeds]) * TEN_THOUSANDTHS
            draw_seeds(one, seeds[0].steps, errors, colour=colour, label=arm)
    for one, world in zip(objects, classified, strict=True):
        one.set(title=f"objects of {world}", ylabel="accuracy (%)")
    for one, world in zip(places, located, strict=True):
        one.set(title=f"places in {world}", ylabel="position MSE (1e-4)", yscale="log")
        one.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        one.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.4)))
    axes[-1].set_xlabel("batch")
    axes[-1].set_xlim(0, batches + 0.5)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _draw_ground(axes: Axes, name: str, worlds: Sequence[World], *, batches: int) -> None:
    for world, end in stretches(worlds, last=batches):
        if world.name == name:
            axes.axvspan(world.start - 0.5, end + 0.5, color=FAINT, alpha=0.4, linewidth=0, zorder=0)
    mark_switches(axes, worlds)


def _probed_worlds(lives: Mapping[str, Sequence[ProbeSeries]], worlds: Sequence[World]) -> tuple[list[str], list[str]]:
    """Classified and located worlds, in the order of the truth, after a look at whether the lives fit together."""
    check_lives(lives)
    first = next(iter(lives.values()))[0]
    probed = (set(first.accuracy), set(first.position_mse))
    for arm, seeds in lives.items():
        if any((set(seed.accuracy), set(seed.position_mse)) != probed for seed in seeds):
            raise ValueError(f"expected probes of the same worlds in all lives, got others in {arm}")
    order = list(dict.fromkeys(world.name for world in worlds))
    strangers = set().union(*probed) - set(order)
    if strangers or not any(probed):
        raise ValueError(f"expected probes of {', '.join(order)}, got {', '.join(sorted(strangers)) or 'none'}")
    classified, located = ([name for name in order if name in names] for names in probed)
    return classified, located
