"""Forage: touch the yellow objects, keep off the red ones, among pillars or rocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.envs.plan import KINDS, Block, Clearing, Item, Plan, draw_heading
from perma_agent.envs.tasks import Payment, Progress, check_range

APART = 2.4
"""Metres between any two objects: never two touched in one step, always a way between them."""


@dataclass(frozen=True, kw_only=True)
class Forage:
    """Yellow objects pay +1 and red ones -1, whatever their shape, once each; ends when no yellow one is left."""

    size: float = 12.0
    """Side of the square ground, metres, 6 to 30."""
    good: int = 4
    """Yellow objects, at least 1; with `bad` at most 8."""
    bad: int = 4
    """Red objects, at least 0."""
    obstacles: int = 4
    """Pillars (rocks and trunks outdoors), 0 to 12."""

    def __post_init__(self) -> None:
        check_range("size", self.size, low=6.0, high=30.0)
        check_range("good", self.good, low=1, high=8, whole=True)
        check_range("bad", self.bad, low=0, high=8 - self.good, whole=True)
        check_range("obstacles", self.obstacles, low=0, high=12, whole=True)

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the ground's size in x and z, metres."""
        return self.size / 2, self.size / 2

    def plan(self, *, layout: np.random.Generator, placement: np.random.Generator) -> Plan:
        """Pillars first (never closing a way), then the objects and the agent."""
        half = self.size / 2
        plan = Plan(half_extent=self.half_extent, blocks=(), items=(), start=(0.0, 0.0, 0.0))
        clearing = Clearing(low=(-half, -half), high=(half, half), from_walls=2.0, apart=0.0)
        for _ in range(self.obstacles):
            x, z = clearing.draw(layout, plan=plan, taken=[])
            wide, deep = layout.uniform(0.35, 0.6, size=2)
            pillar = Block(low=(x - wide, z - deep), high=(x + wide, z + deep), kind="pillar")
            plan = Plan(half_extent=plan.half_extent, blocks=(*plan.blocks, pillar), items=(), start=plan.start)
        clearing = Clearing(low=(-half, -half), high=(half, half), from_walls=0.9, apart=APART)
        taken: list[tuple[float, float]] = []
        for _ in range(self.good + self.bad + 1):
            taken.append(clearing.draw(placement, plan=plan, taken=taken))
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
