"""A life: one learner goes through a sequence of worlds, and is examined on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from perma_agent.continual import Learner, Update
from perma_agent.evaluation.history import LearningHistory, World
from perma_agent.models import VASE
from perma_agent.studies.continual.config import LifeConfig
from perma_agent.types import FramePairs


class Source(Protocol):
    """A world that frames can be drawn from."""

    def draw(self, count: int, rng: np.random.Generator) -> Any:
        """A batch with `frames`, uint8 of shape `[B, C, H, W]`."""


Draw = Callable[[Any, int, np.random.Generator], FramePairs]
"""Makes a batch of so many frames from a source."""


def unpaired(source: Source, frames: int, rng: np.random.Generator) -> FramePairs:
    """Frames that have no time, as in the paper."""
    return FramePairs.unpaired(source.draw(frames, rng).frames)


@dataclass(frozen=True)
class Life:
    """What a life left behind."""

    learner: Learner
    """As it is at the end."""
    history: LearningHistory
    """What was inferred and masked at each batch."""
    worlds: tuple[World, ...]
    """The truth."""
    examined: tuple[int, ...]
    """Steps after which it was examined."""
    findings: tuple[dict[str, Any], ...]
    """What each examination gave."""


def live(
    config: LifeConfig,
    sources: dict[str, Source],
    *,
    seed: int,
    examine: Callable[[Learner], dict[str, Any]],
    on_batch: Callable[[], None] = lambda: None,
    draw: Draw = unpaired,
) -> Life:
    """Show a new learner the worlds of a sequence, one after the other; it is told nothing of them.

    Args:
        config: sequence, arm, network and learner.
        sources: the worlds by name.
        seed: of the initial weights, of the learner's noise and of the batches.
        examine: called every `config.every` batches and at the end of each world; must not change the learner.
        on_batch: called after each batch.
        draw: makes a batch of so many frames from a source.

    Returns:
        The life; the same for the same seed on the same machine.
    """
    learner = new_learner(config, seed=seed)
    rng = np.random.default_rng(seed)
    updates: list[Update] = []
    worlds: list[World] = []
    examined: list[int] = []
    findings: list[dict[str, Any]] = []
    for name, steps in zip(config.sequence.worlds, config.sequence.steps, strict=True):
        worlds.append(World(name=name, start=len(updates) + 1))
        for step in range(1, steps + 1):
            updates.append(learner.update(draw(sources[name], config.batch, rng)))
            if len(updates) % config.every == 0 or step == steps:
                examined.append(len(updates))
                findings.append(examine(learner))
            on_batch()
    return Life(learner, LearningHistory.of(updates), tuple(worlds), tuple(examined), tuple(findings))


def new_learner(config: LifeConfig, *, seed: int) -> Learner:
    """A learner of a life's arm with fresh weights, drawn from `seed` whatever else draws random numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VASE(config.model)
    return Learner(model, config.learner_of(seed))


def life_folder(folder: Path, *, arm: str, seed: int) -> Path:
    """Where the learner of a life is kept, so that it can be looked at again: `lives/<arm>_<seed>`."""
    return folder / "lives" / f"{arm}_{seed}"
