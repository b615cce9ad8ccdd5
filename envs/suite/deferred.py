"""Deferred: a blue key that pays nothing opens the gate to the larger reward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perma_agent.envs.argument_checks import check_range
from perma_agent.envs.suite.plan import Block, Clearing, Item, Plan, draw_heading
from perma_agent.envs.suite.tasks import Payment, Progress

WALL = 0.4
"""Thickness of the dividing wall, metres."""
GATE = 2.4
"""Width of the gate, metres."""
SMALL, KEY, LARGE = 0, 1, 2
"""Slots of the objects."""


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """The small yellow ball pays +1 now; the blue cone pays 0 and opens the gate; the large yellow box pays +10.

    After DeepMind Lab's `rooms_exploit_deferred_effects`: what leads to more must be taken before it is worth anything.
    """

    side: float = 9.0
    """Side of the square ground, both halves together, metres, 7 to 24."""

    def __post_init__(self) -> None:
        check_range("side", self.side, low=7.0, high=24.0)

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the ground's size in x and z, metres."""
        return self.side / 2, self.side / 2

    def plan(self, *, layout: np.random.Generator, placement: np.random.Generator) -> Plan:
        """Front: agent, key and small reward; a wall with a gate somewhere along it; behind: the large reward."""
        half = self.side / 2
        line = float(layout.uniform(-0.15, 0.05)) * self.side  # z of the dividing wall: the front is the larger part
        gate = float(layout.uniform(-half + 0.6, half - 0.6 - GATE))
        low, high = line - WALL / 2, line + WALL / 2
        blocks = (
            Block(low=(-half, low), high=(gate, high)),
            Block(low=(gate + GATE, low), high=(half, high)),
            Block(low=(gate, low), high=(gate + GATE, high), kind="gate"),
        )
        plan = Plan(half_extent=self.half_extent, blocks=blocks, items=(), start=(0.0, 0.0, 0.0))
        front = Clearing(low=(-half, line), high=(half, half), from_walls=0.9, apart=1.8)
        back = Clearing(low=(-half, -half), high=(half, line), from_walls=0.9, apart=0.0)
        taken = front.scatter(placement, plan=plan, count=3)
        turns = placement.uniform(-np.pi, np.pi, size=3)
        items = (
            Item(kind="ball", colour="yellow", position=taken[1], size=0.7, turn=float(turns[0])),
            Item(kind="cone", colour="blue", position=taken[2], turn=float(turns[1])),
            Item(
                kind="box",
                colour="yellow",
                position=back.scatter(placement, plan=plan, count=1)[0],
                size=1.2,
                turn=float(turns[2]),
            ),
        )
        start = (*taken[0], draw_heading(placement))
        return Plan(half_extent=plan.half_extent, blocks=blocks, items=items, start=start)

    def touch(self, plan: Plan, progress: Progress, slot: int) -> Payment:
        """Small: +1. Key: 0, and the gate opens. Large: +10, solved and ended."""
        if slot == KEY:
            progress.gates_closed = False
            return Payment(reward=0.0)
        if slot == SMALL:
            return Payment(reward=1.0)
        progress.succeeded = True
        return Payment(reward=10.0, ended=True)

    def targets(self, plan: Plan, progress: Progress) -> tuple[list[int], list[int]]:
        """The small reward and the key while they stand, then the large one; nothing to avoid."""
        front = [slot for slot in (SMALL, KEY) if progress.present[slot]]
        return front or [LARGE], []
