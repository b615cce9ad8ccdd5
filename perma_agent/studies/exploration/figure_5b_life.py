"""Figure 5B's life: moving garments, digits that lie still but can be pushed, moving digits; examined on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from perma_agent.continual import Learner
from perma_agent.evaluation.probes import accuracy, mean_squared_error, sample_codes, train_classifier, train_regressor
from perma_agent.models import VASE
from perma_agent.studies.exploration.figure_5b_agents import Agent, Pusher, Random, Still
from perma_agent.studies.exploration.figure_5b_config import Figure5BConfig
from perma_agent.studies.exploration.figure_5b_tables import Box, Sights
from perma_agent.studies.planned_cell import Advance, Measured
from perma_agent.types import FramePairs

GRID = 9
"""Cells along each side of the map of where digits lay."""
STILL, MOVING = "still", "moving"
"""The worlds in which the classifier is examined."""


def measure_figure_5b(config: Figure5BConfig, arm: str, seed: int, advance: Advance) -> Measured:
    """Live a life of three worlds as one arm.

    1. Garments jump about; the VASE learns. Then (in the arm that imagines) the agent practises pushing garments.
    2. Digits lie still in the middle; the agent acts, the VASE and a classifier of its latents learn from what is seen.
    3. Digits jump about; VASE and classifier learn from that.

    The classifier is made anew at each examination, from samples of the present VASE's code of frames that were met in
    the present world so far, and tested on moving digits never met.

    Args:
        config: how much.
        arm: who acts, one of `figure_5b_config.ARMS`.
        seed: of everything.
        advance: told of batches.

    Returns:
        Figures `accuracy_still` and `accuracy_moving` (at the ends of worlds 2 and 3, in [0, 1]), `gap` (the second
        less the first), `position_garments` and `position_digits` (R² of a regressor of places that learnt from
        garments alone, on garments and on moving digits, before any digit was met), `covered` (share of `GRID`²
        places in which digits lay in world 2), `pushed` (share of its frames off the middle) and `environments`.
        Series `batches`, `accuracy`, `world` (of each examination), `opened` ([batch, environment]), `lay` (a map of
        counts, rows from top to bottom) and `realised` (what the agent learnt can be brought about).
    """
    life = _Life(config, seed, advance)
    life.watch(Box.of(config.images[0], size=config.model.image_size, split="train", data=config.data))
    position = life.position()
    agent = life.agent(arm)
    lay = life.live_still(agent)
    life.live_moving()
    ends = {world: [a for a, w in zip(life.accuracy, life.world, strict=True) if w == world][-1] for world in life.ends}
    return Measured(
        figures={
            "accuracy_still": ends[STILL],
            "accuracy_moving": ends[MOVING],
            "gap": ends[MOVING] - ends[STILL],
            **position,
            "covered": float((lay > 0).mean()),
            "pushed": float(1.0 - lay[GRID // 2, GRID // 2] / lay.sum()),
            "environments": float(len(life.learner.inference.records)),
        },
        series={
            "batches": life.batches,
            "accuracy": life.accuracy,
            "world": life.world,
            "starts": life.starts,
            "opened": life.opened,
            "lay": lay.tolist(),
            "realised": agent.bonus.realisation.table() if isinstance(agent, Pusher) else [],
        },
    )


@dataclass
class _Life:
    config: Figure5BConfig
    seed: int
    advance: Advance
    batches: list[int] = field(default_factory=list)
    """After which each examination was."""
    accuracy: list[float] = field(default_factory=list)
    world: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Batches before each world."""
    opened: list[list[int]] = field(default_factory=list)
    ends: tuple[str, str] = (STILL, MOVING)

    def __post_init__(self) -> None:
        config = self.config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = VASE(config.model)
        self.learner = Learner(model, replace(config.learner, seed=self.seed))
        self.rng = np.random.default_rng([self.seed, 5])
        self.digits = self._box(1, "train")
        self.tests = self._box(1, "test").jumps(seed=self._draw()).see(config.test_on)

    def watch(self, garments: Box) -> None:
        """World 1."""
        self.garments = garments
        self._jump(garments, self.config.batches[0], examined=None)

    def position(self) -> dict[str, float]:
        """How well places that were learnt from garments are told of garments and of digits."""
        learn, test = (self.garments.jumps(seed=self._draw()).see(self.config.test_on) for _ in range(2))
        regressor = train_regressor(self._codes(learn.frames), learn.places, config=self.config.probe)
        return {
            f"position_{name}": 1.0
            - mean_squared_error(regressor, self._codes(sights.frames), sights.places) / float(sights.places.var())
            for name, sights in (("garments", test), ("digits", self.tests))
        }

    def agent(self, arm: str) -> Agent:
        """Who acts in world 2, at its tables; where it imagines, practised with garments."""
        config = self.config
        pusher = config.pusher

        def tables(box: Box, start: str) -> Any:
            return box.tables(pusher.copies, episode=config.episode, seed=self._draw(), start=start, push=config.push)

        if arm == "still":
            return Still(tables(self.digits, "centre"), steps=pusher.steps_per_rollout)
        if arm == "random":
            return Random(tables(self.digits, "centre"), steps=pusher.steps_per_rollout, rng=self.rng)
        agent = Pusher(tables(self.garments, "random"), self.learner, config=config, seed=self.seed)
        agent.practise()
        agent.move_to(tables(self.digits, "centre"))
        return agent

    def live_still(self, agent: Agent) -> np.ndarray:
        """World 2; returns how often digits lay in each cell of a map, int64 `[GRID, GRID]`."""
        met: list[Sights] = []
        self.starts.append(self.learner.step)
        until = self.learner.step + self.config.batches[1]
        while self.learner.step < until:
            seen = agent.act(self.learner)
            met.append(seen)
            order = self.rng.permutation(len(seen))
            for first in range(0, len(order) - self.config.batch + 1, self.config.batch):
                if self.learner.step < until:
                    self._learn(seen.frames[order[first : first + self.config.batch]])
                    self._examine_if_due(lambda: Sights.joined(met), STILL, until)
            agent.learnt(self.learner)
        cells = np.minimum((Sights.joined(met).places * GRID).astype(int), GRID - 1)
        lay = np.zeros((GRID, GRID), dtype=np.int64)
        np.add.at(lay, (cells[:, 1], cells[:, 0]), 1)
        return lay

    def live_moving(self) -> None:
        """World 3."""
        self.starts.append(self.learner.step)
        self._jump(self.digits, self.config.batches[2], examined=MOVING)

    def _jump(self, box: Box, batches: int, *, examined: str | None) -> None:
        jumps, met = box.jumps(seed=self._draw()), []
        until = self.learner.step + batches
        while self.learner.step < until:
            seen = jumps.see(self.config.batch)
            if examined is not None:
                met.append(seen)
            self._learn(seen.frames)
            if examined is not None:
                self._examine_if_due(lambda: Sights.joined(met), examined, until)

    def _learn(self, frames: np.ndarray) -> None:
        update = self.learner.update(FramePairs.unpaired(frames))
        if update.opened:
            self.opened.append([self.learner.step, int(update.environment or 0)])
        self.advance(1.0)

    def _examine_if_due(self, met: Callable[[], Sights], world: str, until: int) -> None:
        """Examine at a world's first batch (not before), every so often, and at its end."""
        step = self.learner.step
        if step % self.config.every and step != until:
            return
        seen = met()
        seen = seen[self.rng.permutation(len(seen))[: self.config.learn_on]]
        classifier = train_classifier(self._codes(seen.frames), seen.classes, config=self.config.probe)
        self.batches.append(step)
        self.accuracy.append(accuracy(classifier, self._codes(self.tests.frames), self.tests.classes))
        self.world.append(world)

    def _codes(self, frames: np.ndarray) -> np.ndarray:
        return sample_codes(self.learner.model, frames, rng=self.rng)

    def _box(self, which: int, split: Any) -> Box:
        config = self.config
        return Box.of(config.images[which], size=config.model.image_size, split=split, data=config.data)

    def _draw(self) -> int:
        return int(self.rng.integers(2**31))
