"""Our own levels: three tasks, each indoors and outdoors."""

from __future__ import annotations

from perma_agent.envs.catalogue import SYSTEM, LevelInfo
from perma_agent.envs.vocabulary import SETTINGS

_TASKS = (
    (
        "forage",
        400,
        (-1.0, 1.0),
        "Touch the yellow objects (+1 each), keep off the red ones (-1 each), whatever their shape. "
        "Success: no yellow object is left.",
    ),
    (
        "maze",
        500,
        (0.0, 1.0),
        "Find the one yellow object in a maze (+1, ends the episode); nothing else pays. Success: found.",
    ),
    (
        "deferred",
        300,
        (0.0, 11.0),
        "A small yellow ball pays +1; a blue cone pays 0 but opens the gate to a large yellow box, which pays +10 and "
        "ends the episode. Success: the large box was reached.",
    ),
)

SUITE: tuple[LevelInfo, ...] = tuple(
    LevelInfo(
        id=f"perma/{setting.title()}{task.title()}-v0",
        setting=setting,
        task=task,
        engine="miniworld",
        max_episode_steps=steps,
        reward_range=rewards,
        description=description,
        needs=SYSTEM,
        entry_point="perma_agent.envs.suite.level:TaskLevel",
        arguments={"task": task, "setting": setting},
    )
    for task, steps, rewards, description in _TASKS
    for setting in SETTINGS
)
"""Forage, maze and deferred, indoor and outdoor."""
