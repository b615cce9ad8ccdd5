"""Figures: return and success of policies while they learn, beside the random policy's, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from perma_agent.evaluation.policies import EpisodeStatistics
from perma_agent.evaluation.report.style import ARMS, INK, MUTED, new_figure, styled
from perma_agent.evaluation.statistics import Estimate, bootstrap_interval, wilson_interval


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """How one policy did at K moments of its training, each with a 95% interval."""

    steps: np.ndarray
    """Level steps taken until then, shape `[K]`, increasing."""
    returns: tuple[Estimate, ...]
    """Mean return at each moment."""
    successes: tuple[Estimate, ...]
    """Success rate at each moment, in [0, 1]."""

    def __post_init__(self) -> None:
        if not len(self.steps) == len(self.returns) == len(self.successes):
            raise ValueError(
                f"expected one return and one success rate a moment, got {len(self.steps)} moments, "
                f"{len(self.returns)} returns and {len(self.successes)} success rates"
            )

    @classmethod
    def of_episodes(
        cls,
        ends: np.ndarray,
        returns: np.ndarray,
        successes: np.ndarray,
        *,
        moments: int = 20,
        rng: np.random.Generator,
    ) -> LearningCurve:
        """Of one run's training episodes, in `moments` equal stretches of steps.

        Args:
            ends: level steps at which each episode ended, shape `[E]`, E of at least 1.
            returns: of each episode, shape `[E]`.
            successes: of each episode, bool, shape `[E]`.
            moments: K at most; a stretch in which no episode ended has no moment.
            rng: of the bootstrap over a stretch's episodes (success rates have Wilson's interval).
        """
        if not len(ends) or not len(ends) == len(returns) == len(successes):
            raise ValueError(
                f"expected as many ends, returns and successes, got {len(ends)}, {len(returns)}, {len(successes)}"
            )
        edges = np.linspace(0, ends.max(), moments + 1)
        stretch = np.searchsorted(edges[1:-1], ends, side="left")
        met = [np.flatnonzero(stretch == index) for index in np.unique(stretch)]
        return cls(
            steps=np.array([edges[stretch[chosen[0]] + 1] for chosen in met]),
            returns=tuple(bootstrap_interval(returns[chosen], rng=rng, resamples=2_000) for chosen in met),
            successes=tuple(wilson_interval(int(successes[chosen].sum()), len(chosen)) for chosen in met),
        )

    @classmethod
    def over_seeds(
        cls, steps: np.ndarray, returns: np.ndarray, successes: np.ndarray, *, rng: np.random.Generator
    ) -> LearningCurve:
        """Of several seeds evaluated at the same steps: means with bootstrap intervals over seeds.

        Args:
            steps: shape `[K]`.
            returns: mean return of each seed, shape `[seeds, K]`.
            successes: success rate of each seed, shape `[seeds, K]`.
            rng: of the bootstrap.
        """
        return cls(
            steps=steps,
            returns=tuple(bootstrap_interval(column, rng=rng) for column in returns.T),
            successes=tuple(bootstrap_interval(column, rng=rng) for column in successes.T),
        )


@styled
def learning_curves(
    curves: Mapping[str, LearningCurve], *, random: EpisodeStatistics | None = None, level: str = ""
) -> Figure:
    """Mean return and success rate against the steps taken on the level.

    What to see: the curves must leave the dashed line, the random policy's level, and their bands (95% intervals) must
    leave it too before anything has been learnt. A return that rises while success does not means that the reward is
    collected in another way than by solving the level.

    Args:
        curves: by policy or arm.
        random: episodes of the random policy on the same level.
        level: its name, for the title.
    """
    figure = new_figure(9.0, 3.5)
    returned, succeeded = figure.subplots(1, 2)
    for colour, (name, curve) in zip(_colours(len(curves)), curves.items(), strict=True):
        _draw_curve(returned, curve.steps, curve.returns, colour=colour, label=name)
        _draw_curve(succeeded, curve.steps, curve.successes, colour=colour, label=name)
    if random is not None:
        for axes, height in ((returned, float(random.returns.mean())), (succeeded, random.success_rate.value)):
            axes.axhline(height, color=MUTED, linestyle=(0, (5, 3)), linewidth=1.4, label="random policy", zorder=1)
    returned.set_ylabel("mean return")
    succeeded.set_ylabel("success rate")
    succeeded.yaxis.set_major_formatter(PercentFormatter(1.0))
    succeeded.set_ylim(-0.03, 1.03)
    for axes in (returned, succeeded):
        axes.set_xlabel("steps on the level")
        axes.set_xlim(left=0)
    handles, labels = returned.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    if level:
        returned.set_title(level)
    return figure


@styled
def stage_seconds(seconds: Mapping[str, float]) -> Figure:
    """Wall-clock time of each stage of a run, in the order in which they ran.

    What to see: where a run spends its time; the numbers are seconds.

    Args:
        seconds: by stage.
    """
    figure = new_figure(9.0, 0.7 + 0.32 * len(seconds))
    axes = figure.subplots()
    bars = axes.barh(list(seconds), list(seconds.values()), color=ARMS[0], height=0.62)
    total = sum(seconds.values())
    shares = [f"{value:.1f} s  ({value / total:.0%})" if total else f"{value:.1f} s" for value in seconds.values()]
    axes.bar_label(bars, labels=shares, padding=4, color=INK, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="seconds", title=f"{total:.0f} s in all")
    return figure


def _draw_curve(axes: Axes, steps: np.ndarray, estimates: tuple[Estimate, ...], *, colour: str, label: str) -> None:
    low, value, high = np.array([(estimate.low, estimate.value, estimate.high) for estimate in estimates]).T
    axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(steps, value, color=colour, marker="o", markersize=3, label=label)


def _colours(count: int) -> list[str]:
    return [ARMS[index % len(ARMS)] for index in range(count)]
