"""What all metrics of disentanglement cost, and whether the same seed gives the same figures."""

from __future__ import annotations

from functools import partial

import numpy as np

from perma_agent.data.sprites import SpriteWorld
from perma_agent.evaluation.disentanglement import all_metrics
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell
from perma_agent.temporal import NetworkConfig, PairVAEConfig, codes, make_host

METRICS = "metrics"
"""Name of these cells."""
CODES = 10_000
"""Codes that are measured."""
NETWORK = NetworkConfig(image_size=32, filters=(16, 32, 64), hidden=256, latents=10)
"""Of the host whose codes are measured; it is untrained, since trees and bins cost what they cost on any code."""


def plan_metrics(seeds: tuple[int, ...], *, preset: str) -> list[PlannedCell]:
    """A cell for each seed."""
    settings = {"preset": preset, "codes": CODES, "latents": NETWORK.latents}
    return [
        PlannedCell(arm=METRICS, seed=seed, settings=settings, work=1.0, measure=partial(measure_metrics, seed))
        for seed in seeds
    ]


def measure_metrics(seed: int, advance: Advance, *, count: int = CODES) -> Measured:
    """Measure the codes of sprites twice, with disentanglement_lib's settings, which are the default.

    Args:
        seed: of frames, host and metrics.
        advance: told when it is done.
        count: codes; those of the cells are `CODES`.

    Returns:
        `seconds` of the first run, and `identical`, 1 where all other figures of the second are the same.
    """
    world = SpriteWorld(canvas=NETWORK.image_size)
    drawn, pairs = world.draw(count, np.random.default_rng(seed)), world.pairs(count, np.random.default_rng([seed, 1]))
    host = make_host(PairVAEConfig(network=NETWORK), seed=seed)
    code = codes(host, drawn.frames)
    changes = codes(host, pairs.pairs.frames) - codes(host, pairs.pairs.earlier)
    first, second = (
        all_metrics(code, drawn.factors, np.random.default_rng(seed), changes=changes).figures() for _ in range(2)
    )
    seconds = first.pop("metrics_seconds")
    del second["metrics_seconds"]
    advance(1.0)
    return Measured(figures={"seconds": seconds, "identical": float(first == second)})
