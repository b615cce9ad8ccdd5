"""The cells of comparisons: a host learns on a ground, and its code is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.studies.permanence.arms import ARMS
from perma_agent.studies.permanence.config import Comparison
from perma_agent.studies.permanence.examination import examine, quick_look
from perma_agent.studies.permanence.test_frames import TestFrames
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.temporal import Host, make_host, train


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """A host and how it came about."""

    host: Host[Any]
    """Trained."""
    test: TestFrames
    """What its seed is measured on."""
    looks: Sequence[Mapping[str, float]]
    """Quick looks on the way, each with the step it was taken at; the last at the end."""
    history: Mapping[str, np.ndarray]
    """What its terms cost, see `temporal.History`, and `steps`."""


def learn(comparison: Comparison, arm: str, weight: float, *, seed: int, folder: Path, advance: Advance) -> Learnt:
    """Train an arm's host.

    Args:
        comparison: ground, network and budget.
        arm: one of `ARMS`.
        weight: its weight.
        seed: of weights, noise and batches.
        folder: of what the ground has recorded.
        advance: told of the steps.
    """
    config = ARMS[arm].make(comparison.network, weight, comparison.budget)
    host = make_host(config, seed=seed)
    training = replace(comparison.training, seed=seed)
    test = comparison.ground.test(seed, folder)
    due = set(np.linspace(0, training.steps, comparison.looks + 1).round().astype(int).tolist()) - {0}
    looks: list[dict[str, float]] = []

    def on_batch(step: int, metrics: Mapping[str, float]) -> None:
        del metrics
        advance(1.0)
        if step in due:
            precision, host.autocast = host.autocast, False
            looks.append({"step": step, **quick_look(host.eval(), test)})
            host.autocast = precision
            host.train()

    history = train(host, comparison.ground.source(seed, folder), training, on_batch=on_batch)
    return Learnt(host=host, test=test, looks=looks, history={"steps": history.steps, **history.metrics})


def measure_weight(
    comparison: Comparison, arm: str, weight: float, seed: int, folder: Path, advance: Advance
) -> Measured:
    """What an arm gives with a weight on a seed to tune on: the figures that weights are chosen by."""
    learnt = learn(comparison, arm, weight, seed=seed, folder=folder, advance=advance)
    last = {name: value for name, value in learnt.looks[-1].items() if name != "step"}
    return Measured(figures={"weight": weight, **last}, series=_series(learnt))


def measure_arm(comparison: Comparison, arm: str, weight: float, seed: int, folder: Path, advance: Advance) -> Measured:
    """What an arm gives with its chosen weight: every measure of its code."""
    learnt = learn(comparison, arm, weight, seed=seed, folder=folder, advance=advance)
    measured = examine(learnt.host, learnt.test, seed=seed)
    ends = {name: float(values[-1]) for name, values in learnt.history.items() if name != "steps"}
    ends = {name: value for name, value in ends.items() if np.isfinite(value)}  # of the terms that acted to the end
    return Measured(
        figures={"weight": weight, **ends, **measured.figures}, series={**measured.series, **_series(learnt)}
    )


def _series(learnt: Learnt) -> dict[str, Any]:
    names = sorted({name for look in learnt.looks for name in look})
    return {
        "looks": {name: [round(look[name], 4) for look in learnt.looks] for name in names},
        "history": {name: np.round(values, 4).tolist() for name, values in learnt.history.items()},
    }
