"""Runs: what one that learns nothing leaves behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from perma_agent.studies.exploration.explorer import ExplorerConfig
from perma_agent.studies.exploration.runs import Run, explore


def wandered(seed: int):
    run = Run(
        level="indoor-maze",
        arm="wanderer",
        weight=0.0,
        extrinsic=0.0,
        explorer=ExplorerConfig(steps=64, copies=2),
        seed=seed,
    )
    advanced = []
    measured = explore(run, Path("no VASE is needed"), advanced.append)
    return measured, sum(advanced)


def test_a_wanderer_needs_no_vase_and_takes_its_steps():
    measured, advanced = wandered(1)
    assert advanced == 64 and measured.series["steps"][-1] == 64
    assert 0 < measured.figures["coverage"] < 1


def test_a_wanderer_goes_the_same_way_with_the_same_seed():
    first, again, other = (np.array(wandered(seed)[0].series["coverage_curve"]) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
