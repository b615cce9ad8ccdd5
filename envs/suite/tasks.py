"""What every task states: its map, what touching an object pays, and when the episode has ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from perma_agent.envs.suite.plan import Plan


@dataclass
class Progress:
    """How far an episode has come; the only thing that changes in a level beside the agent's pose."""

    present: np.ndarray
    """Which of the plan's items still stand, bool, shape `[items]`."""
    gates_closed: bool = True
    """Whether the plan's gates still stop the agent."""
    succeeded: bool = False
    """Whether the task has been solved in this episode."""
    touched: list[int] = field(default_factory=list)
    """Slots of the items touched, in order."""


@dataclass(frozen=True, kw_only=True)
class Payment:
    """What touching one object brings."""

    reward: float
    """Paid in this step."""
    ended: bool = False
    """Whether the episode terminates."""


class Task(Protocol):
    """The rules of a level, the same indoors and outdoors; made once per level, never changed."""

    @property
    def half_extent(self) -> tuple[float, float]:
        """Half the map's size in x and z, metres: bounds of the factors, the same in every episode."""
        ...

    def plan(self, *, layout: np.random.Generator, placement: np.random.Generator) -> Plan:
        """Draw a map (walls from `layout`; objects and start from `placement`)."""
        ...

    def touch(self, plan: Plan, progress: Progress, slot: int) -> Payment:
        """Apply the rules to the touched item `slot`, which is no longer present; may change `progress`."""
        ...

    def targets(self, plan: Plan, progress: Progress) -> tuple[list[int], list[int]]:
        """Slots worth touching next, and slots to keep away from: what an oracle needs to know."""
        ...
