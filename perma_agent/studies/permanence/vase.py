"""Permanence inside VASE: the paper's three worlds, lived through in pairs of frames with and without it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perma_agent.continual import Learner, LearnerConfig
from perma_agent.continual.config_json import to_json
from perma_agent.data.image_sequences import ImageWorld
from perma_agent.evaluation.homology import homology
from perma_agent.evaluation.traversals import posterior_of
from perma_agent.objectives import PermanenceConfig
from perma_agent.studies.continual.config import LifeConfig
from perma_agent.studies.continual.examination import Examiner, Worlds
from perma_agent.studies.continual.life import Life, live
from perma_agent.studies.continual.lives import environments_of, measured_of, worlds_of
from perma_agent.studies.planned_cell import Advance, Measured, PlannedCell
from perma_agent.types import FramePairs

ROWS = 6_000
"""Test frames of each moving world on which homology is measured."""
DEFAULT = "default"
"""Name of the arm whose permanence is what `LearnerConfig` has unless it is told otherwise."""
INFORMED = 0.1
"""Nats from which a latent counts as in use."""


@dataclass(frozen=True, kw_only=True)
class VASEStudy:
    """Lives with and without permanence."""

    life: LifeConfig
    """What is lived through, of arm `sda`; its batches are drawn in pairs of one object at two places."""
    permanence: PermanenceConfig = field(default_factory=lambda: PermanenceConfig(member="direction"))
    """The member of the family; its weight is the arm's."""
    weights: tuple[float, ...] = (0.0, 5.0)
    """Of the arms, stated beforehand; 0 is VASE without permanence."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Lives of each arm."""

    @property
    def arms(self) -> dict[str, LifeConfig]:
        """The life of each arm: `0` and `5` by their weights, `default` with the term a learner has unasked."""
        terms = {f"{weight:g}": replace(self.permanence, weight=weight) for weight in self.weights}
        return {
            name: replace(self.life, learner=replace(self.life.learner, permanence=term))
            for name, term in {**terms, DEFAULT: LearnerConfig().permanence}.items()
        }


def plan_vase(study: VASEStudy, *, preset: str, data: Path | None) -> list[PlannedCell]:
    """A cell for each arm and seed."""
    return [
        PlannedCell(
            arm=f"vase-{name}",
            seed=seed,
            settings={"preset": preset, **to_json(life)},
            work=float(sum(study.life.sequence.steps)),
            measure=partial(measure_vase, life, seed, data),
        )
        for name, life in study.arms.items()
        for seed in study.seeds
    ]


def in_pairs(source: ImageWorld, frames: int, rng: np.random.Generator) -> FramePairs:
    """So many frames as pairs of one object at two places: twice the same frame where the world is at rest."""
    return source.pairs(frames // 2, rng)


def measure_vase(config: LifeConfig, seed: int, data: Path | None, advance: Advance) -> Measured:
    """Live in pairs, be examined, and see whether position latents mean the same in both moving worlds.

    Figures are those of a life of the study `continual`, and `homology/*`, and `latents/<world>`, how many carry more
    than `INFORMED` nats there.
    """
    worlds = worlds_of(config, data=data)
    life = live(
        config,
        dict(worlds.train),
        seed=seed,
        examine=Examiner(config, worlds, seed=seed),
        on_batch=partial(advance, 1.0),
        draw=in_pairs,
    )
    measured = measured_of(config, life)
    used = {
        f"latents/{name}": float((np.array(nats) > INFORMED).sum())
        for name, nats in life.findings[-1]["information"].items()
    }
    return Measured(figures={**measured.figures, **used, **_homology(life, worlds, seed=seed)}, series=measured.series)


def _homology(life: Life, worlds: Worlds, *, seed: int) -> dict[str, float]:
    """Whether the places of objects are told by the same latents in all moving worlds."""
    rng = np.random.default_rng([seed, 4])
    environments = environments_of(life)
    codes: dict[str, np.ndarray] = {}
    places: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(world.name for world in life.worlds):
        environment = environments[name]
        if worlds.test[name].moving and environment is not None:
            batch = worlds.test[name].draw(ROWS, rng)
            codes[name] = _codes(life.learner, batch.frames, environment)
            places[name] = np.asarray(batch.positions, dtype=np.float64)
    if len(codes) < 2:
        return {}
    found = homology(codes, places, rng, continuous=True)
    return {
        "homology/score": found.score,
        "homology/same_latent": found.same_latent,
        "homology/code_reading": found.code_reading,
    }


def _codes(learner: Learner, frames: np.ndarray, environment: int) -> np.ndarray:
    mask: Any = learner.inference.records[environment].mask
    means: np.ndarray = posterior_of(learner.model, frames, mask=mask).mean.numpy()
    return means
