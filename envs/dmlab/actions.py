"""DMLab's action sets by the names of their parts, and as the arrays that the engine wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from perma_agent.envs.actions import ACTIONS
from perma_agent.errors import LevelError

Parts = Mapping[str, int]
"""What one action sets, by the engine's names; all else is 0."""

LOOK = "LOOK_LEFT_RIGHT_PIXELS_PER_FRAME"
TILT = "LOOK_DOWN_UP_PIXELS_PER_FRAME"
STRAFE = "STRAFE_LEFT_RIGHT"
MOVE = "MOVE_BACK_FORWARD"
FIRE = "FIRE"

_COMMON: dict[str, Parts] = {
    "turn_left": {LOOK: -20},
    "turn_right": {LOOK: 20},
    "forward": {MOVE: 1},
    "back": {MOVE: -1},
    "use": {FIRE: 1},
}
ACTION_SETS: Mapping[str, tuple[Parts, ...]] = MappingProxyType(
    {
        "common": tuple(_COMMON[action] for action in ACTIONS),
        "impala": (
            {MOVE: 1},
            {MOVE: -1},
            {STRAFE: -1},
            {STRAFE: 1},
            {LOOK: -20},
            {LOOK: 20},
            {LOOK: -20, MOVE: 1},
            {LOOK: 20, MOVE: 1},
            {FIRE: 1},
        ),
        "popart": (
            {MOVE: 1},
            {MOVE: -1},
            {STRAFE: -1},
            {STRAFE: 1},
            {LOOK: -10},
            {LOOK: 10},
            {LOOK: -60},
            {LOOK: 60},
            {TILT: 10},
            {TILT: -10},
            {LOOK: -10, MOVE: 1},
            {LOOK: 10, MOVE: 1},
            {LOOK: -60, MOVE: 1},
            {LOOK: 60, MOVE: 1},
            {FIRE: 1},
        ),
    }
)
"""`common`: our `ACTIONS`, in their order. `impala`: IMPALA's 9 (2018). `popart`: the 15 of PopArt-IMPALA and R2D2.

At 4 frames an action, a look of 10, 20 or 60 turns by about 4°, 8° or 25° (57 turns a full circle in 60 frames).
"""


def action_table(actions: Sequence[Parts], *, spec: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """One row for each action, in the order of the engine's own `action_spec()`.

    Args:
        actions: a set of `ACTION_SETS`.
        spec: `name`, `min` and `max` of each part; the position in this list is the position in the array.

    Returns:
        `np.intc` (nothing else is accepted), shape `[len(actions), len(spec)]`; each row is contiguous.

    Raises:
        LevelError: when the level lacks a part, or does not allow its value.
    """
    place = {part["name"]: index for index, part in enumerate(spec)}
    table = np.zeros((len(actions), len(spec)), dtype=np.intc)
    for row, parts in zip(table, actions, strict=True):
        for name, value in parts.items():
            if name not in place:
                raise LevelError(f"expected a level with the action {name}, got one with {', '.join(place)}")
            bounds = spec[place[name]]
            if not bounds["min"] <= value <= bounds["max"]:
                raise LevelError(f"expected {name} from {bounds['min']} to {bounds['max']}, got {value}")
            row[place[name]] = value
    return table
