"""Forage: touch the yellow objects, keep off the red ones, among pillars or rocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.envs.argument_checks import check_range
from perma_agent.envs.suite.plan import Block, Clearing, Item, Plan, draw_heading
from perma_agent.envs.suite.tasks import Payment, Progress
from perma_agent.envs.vocabulary import KINDS
from perma_agent.errors import LevelError

APART = 2.4
"""Metres between any two objects: never two touched in one step, always a way between them."""


@dataclass(frozen=True, kw_only=True)
class Forage:
    """Yellow objects pay +1 and red ones -1, whatever their shape, once each; ends when no yellow one is left."""

    side: float = 12.0
    """Side of the square ground, metres, 6 to 30 and large enough for what stands on it."""
    good: int = 4
    """Yellow objects, at least 1; with `bad` at most 8."""
    bad: int = 4
    """Red objects, at least 0."""
    obstacles: int = 4
    """Pillars (rocks and trunks outdoors), 0 to 12."""

    def __post_init__(self) -> None:
        check_range("side", self.side, low=6.0, high=30.0)
        check_range("good", self.good, low=1, high=8, whole=True)
        check_range("bad", self.bad, low=0, high=8 - self.good, whole=True)
        check_range("obstacles", self.obstacles, low=0, high=12, whole=True)
        # found by trying: from here on every one of 1,000 seeds had room for all
        least = max(1.6 + (6.0 * (self.good + self.bad + 1)) ** 0.5, 4.0 + (8.6 * self.obstacles) ** 0.5)
        if self.side < least:
            raise LevelError(
                f"expected a side of at least {least:.1f} m for {self.good + self.bad} objects and {self.obstacles} "
                f"obstacles, got {self.side}; ask for fewer of them or a larger side"
            )

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the ground's size in x and z, metres."""
        return self.side / 2, self.side / 2

    def plan(self, *, layout: np.random.Generator, placement: np.random.Generator) -> Plan:
        """Pillars first (with a way round each), then the objects and the agent."""
        half = self.side / 2
        plan = Plan(half_extent=self.half_extent, blocks=(), items=(), start=(0.0, 0.0, 0.0))
        clearing = Clearing(low=(-half, -half), high=(half, half), from_walls=2.0, apart=2.8)
        middles = clearing.scatter(layout, plan=plan, count=self.obstacles) if self.obstacles else []
        blocks = []
        for x, z in middles:
            wide, deep = layout.uniform(0.35, 0.6, size=2).tolist()
            blocks.append(Block(low=(x - wide, z - deep), high=(x + wide, z + deep), kind="pillar"))
        plan = Plan(half_extent=self.half_extent, blocks=tuple(blocks), items=(), start=(0.0, 0.0, 0.0))
        clearing = Clearing(low=(-half, -half), high=(half, half), from_walls=0.8, apart=APART)
        taken = clearing.scatter(placement, plan=plan, count=self.good + self.bad + 1)
        items = tuple(
            Item(
                kind=KINDS[1 + placement.integers(3)],
                colour="yellow" if slot < self.good else "red",
                position=place,
                turn=float(placement.uniform(-np.pi, np.pi)),
            )
            for slot, place in enumerate(taken[1:])
        )
        start = (*taken[0], draw_heading(placement))
        return Plan(half_extent=plan.half_extent, blocks=plan.blocks, items=items, start=start)

    def touch(self, plan: Plan, progress: Progress, slot: int) -> Payment:
        """Yellow pays, red costs; solved when the last yellow object is gone."""
        progress.succeeded = not progress.present[: self.good].any()
        return Payment(reward=1.0 if slot < self.good else -1.0, ended=progress.succeeded)

    def targets(self, plan: Plan, progress: Progress) -> tuple[list[int], list[int]]:
        """Yellow objects left; red objects left."""
        left = np.flatnonzero(progress.present).tolist()
        return [slot for slot in left if slot < self.good], [slot for slot in left if slot >= self.good]
