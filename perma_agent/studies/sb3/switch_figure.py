"""Figures: returns through a change of look, and what each publication of a newer encoder does to the policy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perma_agent.evaluation.cells import Cell
from perma_agent.evaluation.report.style import ARMS, INK, MUTED, environment_colour, new_figure, styled
from perma_agent.studies.page_parts import of_arm
from perma_agent.studies.sb3.planning import CHANCE, SWITCH
from perma_agent.studies.sb3.switch import MODES

STRETCHES = 24
"""Stretches of steps that episodes are averaged over, as many on both sides of the switch."""
COLOURS = dict(zip(MODES, (ARMS[2], ARMS[0]), strict=True))
LOOKS = {"before": "the look before", "after": "the look after"}


@styled
def switch_figure(cells: Sequence[Cell]) -> Figure:
    """Mean return of training episodes over steps, the switch marked, publications as ticks below.

    What to see: the curves must not fall to the dotted line at the switch and stay there; where the continual curve
    falls deeper than the frozen one, the changing encoder is what shakes the policy. Ticks change colour where the VASE
    noticed the switch.

    Args:
        cells: of the study `sb3`, one of an arm of the switch at least.
    """
    arms = {mode: found for mode in MODES if (found := of_arm(cells, f"{SWITCH}-{mode}"))}
    learning = arms.get(MODES[0], [])
    figure = new_figure(9.0, 3.6 + 0.16 * len(learning))
    returns, ticks = figure.subplots(2, 1, sharex=True, height_ratios=[8, 0.4 + 0.5 * max(len(learning), 1)])
    for mode, found in arms.items():
        _draw_returns(returns, found, colour=COLOURS[mode], label=f"VASE {mode}")
    switch = _switch_of(next(iter(arms.values()))[0])
    _draw_chance(returns, of_arm(cells, CHANCE), switch=switch)
    for row, cell in enumerate(learning):
        _draw_ticks(ticks, cell, row=row)
    for axes in (returns, ticks):
        axes.axvline(switch, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
    returns.set_ylabel("return of training episodes")
    returns.legend(loc="upper left", ncols=3)
    ticks.set_yticks(range(len(learning)), [f"seed {cell.seed}" for cell in learning])
    ticks.set(xlabel="steps on the level", xlim=(0, 2 * switch), ylim=(len(learning) - 0.4, -0.6))
    ticks.set_title("publications, coloured by environment inferred", fontsize=8, weight="normal")
    ticks.grid(visible=False, axis="y")
    return figure


@styled
def publications_figure(cells: Sequence[Cell]) -> Figure:
    """How far features of fixed frames moved at each publication, and how much that changed the policy.

    What to see: publications move features a little and again and again; a spike right of the dashed line is the new
    look being learnt. Where the policy's change by a publication stays below PPO's own, the encoder disturbs no more
    than learning does.

    Args:
        cells: of the continual arm, in the order of their seeds.
    """
    figure = new_figure(9.0, 3.2)
    moved, changed = figure.subplots(1, 2)
    for place, (look, words) in enumerate(LOOKS.items()):
        colour = ARMS[place]
        for number, cell in enumerate(cells):
            label = f"on frames of {words}" if number == 0 else "_"
            for axes, name in ((moved, f"moved_{look}"), (changed, f"policy_kl_{look}")):
                steps, values = _published(cell, name)
                axes.plot(steps, values, "o", color=colour, markersize=3, alpha=0.6, label=label)
    for number, cell in enumerate(cells):
        label = "PPO's own update" if number == 0 else "_"
        changed.plot(*_known(cell, "update_kl"), color=MUTED, linewidth=0.9, alpha=0.7, label=label)
    switch = _switch_of(cells[0])
    for axes in (moved, changed):
        axes.axvline(switch, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
        axes.set(xlabel="steps on the level", xlim=(0, 2 * switch))
        axes.set_ylim(bottom=0)
    moved.set(title="Features", ylabel="move over spread")
    changed.set(title="Policy", ylabel="KL, nats")
    handles, labels = changed.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_returns(axes: Axes, cells: Sequence[Cell], *, colour: str, label: str) -> None:
    edges = np.linspace(0, 2 * _switch_of(cells[0]), 2 * _stretches(cells) + 1)
    values = np.array([_means(cell, edges) for cell in cells])
    middles = (edges[:-1] + edges[1:]) / 2
    for seed in values if len(values) > 1 else ():
        axes.plot(middles, seed, color=colour, linewidth=0.7, alpha=0.45, zorder=2)
    counts = np.isfinite(values).sum(axis=0)
    means = np.divide(np.nansum(values, axis=0), counts, out=np.full(len(middles), np.nan), where=counts > 0)
    axes.plot(middles, means, color=colour, linewidth=2.0, marker="o", markersize=3, label=label, zorder=3)


def _stretches(cells: Sequence[Cell]) -> int:
    """On either side of the switch: no more than there are rollouts."""
    return min(STRETCHES // 2, min(int(cell.settings["rollouts"]) for cell in cells))


def _means(cell: Cell, edges: np.ndarray) -> np.ndarray:
    """Mean return of the episodes that ended in each stretch; NaN where none did."""
    ends, returns = np.array(cell.series["episode_end"]), np.array(cell.series["return"], dtype=np.float64)
    stretch = np.searchsorted(edges[1:-1], ends, side="left")
    return np.array(
        [returns[stretch == index].mean() if (stretch == index).any() else np.nan for index in range(len(edges) - 1)]
    )


def _draw_chance(axes: Axes, cells: Sequence[Cell], *, switch: int) -> None:
    for cell in cells:
        for when, start, label in (("before", 0, "random policy"), ("after", switch, "_")):
            height = float(cell.figures[f"return/{when}"] or 0.0)  # it is never None
            axes.hlines(height, start, start + switch, color=MUTED, linestyle=":", linewidth=1.4, label=label, zorder=1)


def _draw_ticks(axes: Axes, cell: Cell, *, row: int) -> None:
    """A stroke at each publication, in the colour of the environment inferred in the round before it."""
    rounds, environments = cell.series["round"], cell.series["environment"]
    for start in _published(cell, "start")[0]:
        earlier = [environment for at, environment in zip(rounds, environments, strict=True) if at <= start]
        known = earlier[-1] if earlier else None
        colour = MUTED if known is None else environment_colour(known)
        axes.vlines(start, row - 0.38, row + 0.38, color=colour, linewidth=1.6)


def _published(cell: Cell, name: str) -> tuple[list[int], list[float]]:
    """Steps of publications and a series at them."""
    starts, values = _known(cell, name)
    published = {at for at, flag in zip(cell.series["start"], cell.series["published"], strict=True) if flag}
    kept = [(at, value) for at, value in zip(starts, values, strict=True) if at in published]
    return [at for at, _ in kept], [value for _, value in kept]


def _known(cell: Cell, name: str) -> tuple[list[int], list[float]]:
    """Steps at which rollouts began, and a series where it is known."""
    kept = [(at, value) for at, value in zip(cell.series["start"], cell.series[name], strict=True) if value is not None]
    return [at for at, _ in kept], [value for _, value in kept]


def _switch_of(cell: Cell) -> int:
    policy = cell.settings["policy"]
    return int(cell.settings["rollouts"]) * int(policy["steps_per_rollout"]) * int(policy["copies"])
