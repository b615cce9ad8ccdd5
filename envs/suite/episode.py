"""One episode of a task: its map, how far the agent has come in it, and what there is to be seen now."""

from __future__ import annotations

import numpy as np

from perma_agent.envs.factors import Surroundings
from perma_agent.envs.sight import Bodies
from perma_agent.envs.suite.looks import View
from perma_agent.envs.suite.objects import object_height
from perma_agent.envs.suite.plan import AGENT_RADIUS, TOUCH_MARGIN, Plan
from perma_agent.envs.suite.tasks import Progress


class Episode:
    """The state of a level beside the agent's pose; arrays are made once and again only when something changed."""

    def __init__(self, plan: Plan, view: View) -> None:
        """Begin: everything stands, all gates are closed."""
        self.plan = plan
        self.view = view
        self.progress = Progress(present=np.ones(len(plan.items), dtype=bool))
        self.places = np.array([item.position for item in plan.items])
        """Middle of each item, present or not, x and z in metres, shape `[items, 2]`."""
        self.reaches = np.array([item.radius + AGENT_RADIUS + TOUCH_MARGIN for item in plan.items])
        """Distance between the middles at which the agent touches each item, metres, shape `[items]`."""
        self.refresh()

    def refresh(self) -> None:
        """Look round again after an item or gate has gone."""
        slots = tuple(np.flatnonzero(self.progress.present).tolist())
        items = [self.plan.items[slot] for slot in slots]
        self.surroundings = Surroundings(
            bodies=Bodies(
                positions=np.array([item.position for item in items]).reshape(-1, 2),
                radii=np.array([item.radius for item in items]),
                bottoms=np.zeros(len(items)),
                tops=np.array([object_height(item) for item in items]),
            ),
            slots=slots,
            kinds=tuple(item.kind for item in items),
            colours=tuple(item.colour for item in items),
            segments=self.plan.segments(gates=self.progress.gates_closed),
        )
