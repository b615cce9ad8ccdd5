"""The cells that look at what a life left: ambiguity, cross-domain reconstruction, imagination, traversals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from perma_agent.continual import Learner
from perma_agent.evaluation.report.tiles import tiles_to_text
from perma_agent.evaluation.traversals import TRAVERSED, information_per_latent, latent_traversals
from perma_agent.studies.continual.analyses import (
    Environments,
    measure_ambiguity,
    measure_cross_domain,
    measure_imagination,
)
from perma_agent.studies.continual.config import LifeConfig
from perma_agent.studies.continual.examination import USE_FRAMES, Worlds
from perma_agent.studies.continual.lives import Folders, finished_learner, worlds_of
from perma_agent.studies.planned_cell import Advance, Measured

Analyse = Callable[..., Measured]


def measure_traversals(
    learner: Learner, worlds: Worlds, environments: Environments, *, rng: np.random.Generator
) -> Measured:
    """Traverse each latent from a test frame of each world (figure 2, top).

    Returns:
        No figures. Series `traversals`: by world with an environment, its index, the use of each latent in nats, its
        mask, and a sheet of all D latents at the values `TRAVERSED`.
    """
    series = {}
    for name, world in worlds.test.items():
        environment = environments[name]
        if environment is not None:
            frames = world.draw(USE_FRAMES, rng).frames
            mask = learner.inference.records[environment].mask
            sheet = latent_traversals(learner.model, frames[0], environment=environment, mask=mask)
            series[name] = {
                "environment": environment,
                "information": information_per_latent(learner.model, frames, mask=mask).round(3).tolist(),
                "sheet": tiles_to_text(sheet),
                "sheet_rows": len(sheet),
                "sheet_columns": len(TRAVERSED),
            }
    return Measured(figures={}, series={"traversals": series})


@dataclass(frozen=True, kw_only=True)
class LookPlan:
    """A look at finished lives."""

    life: str
    """Arm of the lives that are looked at."""
    analyse: Analyse
    """Takes a learner, its worlds and environments, and `rng`; picklable."""


LOOKS: Mapping[str, LookPlan] = MappingProxyType(
    {
        "ambiguity-mnist": LookPlan(
            life="five-sda", analyse=partial(measure_ambiguity, between=("mnist", "inverse-fashion"))
        ),
        "ambiguity-fashion": LookPlan(
            life="five-sda", analyse=partial(measure_ambiguity, between=("fashion", "inverse-fashion"))
        ),
        "cross-sda": LookPlan(life="five-sda", analyse=measure_cross_domain),
        "cross-sda-entangled": LookPlan(life="five-sda-entangled", analyse=measure_cross_domain),
        "imagination-sda": LookPlan(life="return-sda", analyse=measure_imagination),
        **{
            f"traversals-{life}": LookPlan(life=life, analyse=measure_traversals)
            for life in ("three-sda", "three-none", "five-sda")
        },
    }
)
"""Looks by the arm of their cells. Imagination looks at the life in which digits were never seen to move."""


def look_at(
    analyse: Analyse,
    config: LifeConfig,
    seed: int,
    data: Path | None,
    keep: Path,
    advance: Advance,
    *,
    folders: Folders = (),
) -> Measured:
    """Take a life's learner, living the life anew if it was not kept, and look at it.

    Args:
        analyse: how; see `LookPlan`.
        config: of the life.
        seed: of the life and of the look.
        data: folder of the image sets.
        keep: run folder of the life's learner.
        advance: told of the batches, if the life must be lived, and of one more for the look.
        folders: of pictures that worlds are made of.
    """
    learner, environments = finished_learner(config, seed, data, keep, advance, folders=folders)
    rng = np.random.default_rng([seed, 3])
    measured = analyse(learner, worlds_of(config, data=data, folders=folders), environments, rng=rng)
    advance(1.0)
    return measured
