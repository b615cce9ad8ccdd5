"""MiniWorld's own levels, as they come with it."""

from __future__ import annotations

from perma_agent.envs.catalogue import SYSTEM, LevelInfo
from perma_agent.envs.vocabulary import Setting

_BOX = "Reach the red box: 1 less up to 0.2 by time."
_LEVELS: tuple[tuple[str, Setting, str, int, tuple[float, float], str], ...] = (
    (
        "CollectHealth",
        "indoor",
        "survive",
        1000,
        (-100.0, 2.0),
        "Pick up health kits to live: 2 a step, -100 on dying.",
    ),
    ("FourRooms", "indoor", "goal", 250, (0.0, 1.0), _BOX),
    ("Hallway", "indoor", "goal", 250, (0.0, 1.0), _BOX),
    ("Maze", "indoor", "maze", 1536, (0.0, 1.0), _BOX + " 8 by 8 cells."),
    ("MazeS2", "indoor", "maze", 96, (0.0, 1.0), _BOX + " 2 by 2 cells."),
    ("MazeS3", "indoor", "maze", 216, (0.0, 1.0), _BOX + " 3 by 3 cells."),
    ("MazeS3Fast", "indoor", "maze", 300, (0.0, 1.0), _BOX + " 3 by 3 cells, longer steps."),
    ("OneRoom", "indoor", "goal", 180, (0.0, 1.0), _BOX),
    ("OneRoomS6", "indoor", "goal", 100, (0.0, 1.0), _BOX + " A smaller room."),
    ("OneRoomS6Fast", "indoor", "goal", 50, (0.0, 1.0), _BOX + " A smaller room, longer steps."),
    ("PickupObjects", "outdoor", "forage", 400, (0.0, 1.0), "Pick up all five objects: 1 each."),
    ("PutNext", "indoor", "carry", 250, (0.0, 1.0), "Put the red box next to the yellow one."),
    ("RoomObjects", "outdoor", "look", 400, (0.0, 0.0), "Three objects, no reward: nothing to succeed in."),
    ("Sidewalk", "outdoor", "goal", 150, (0.0, 1.0), _BOX + " Stepping into the street ends the episode."),
    ("Sign", "indoor", "read", 20, (-1.0, 1.0), "Touch the object that the sign and the goal name: 1, another: -1."),
    ("TMaze", "indoor", "maze", 280, (0.0, 1.0), _BOX),
    ("TMazeLeft", "indoor", "maze", 280, (0.0, 1.0), _BOX),
    ("TMazeRight", "indoor", "maze", 280, (0.0, 1.0), _BOX),
    ("ThreeRooms", "indoor", "look", 400, (0.0, 0.0), "Objects in three rooms, no reward: nothing to succeed in."),
    ("WallGap", "outdoor", "goal", 300, (0.0, 1.0), _BOX),
    ("YMaze", "indoor", "maze", 280, (0.0, 1.0), _BOX),
    ("YMazeLeft", "indoor", "maze", 280, (0.0, 1.0), _BOX),
    ("YMazeRight", "indoor", "maze", 280, (0.0, 1.0), _BOX),
)

MINIWORLD_LEVELS: tuple[LevelInfo, ...] = tuple(
    LevelInfo(
        id=f"MiniWorld-{name}-v0",
        setting=setting,
        task=task,
        engine="miniworld",
        max_episode_steps=steps,
        reward_range=rewards,
        description=f"{description} Success: "
        + ("alive at the time limit." if name == "CollectHealth" else "ended with a reward."),
        needs=SYSTEM,
        entry_point="perma_agent.envs.miniworld.level:MiniWorldLevel",
        arguments={"name": name},
    )
    for name, setting, task, steps, rewards, description in _LEVELS
)
"""All 23; outdoor are those without a ceiling."""
