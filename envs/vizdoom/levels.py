"""ViZDoom's scenarios and two of the maps it ships, as levels; reading this loads no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from perma_agent.envs.catalogue import LevelInfo
from perma_agent.envs.vocabulary import Setting

NEEDS = "the extra vizdoom (`pip install perma-agent[vizdoom]`), no display and no OpenGL"
"""As `LevelInfo.needs`."""
Control = Literal["turn_left", "turn_right", "step_left", "step_right", "forward", "back", "attack", "use"]
"""What an action of ours can do in Doom."""
ACTION_REPEAT = 4
"""Tics (1/35 s) that one action lasts."""
SQUARE = 4.0
"""Side of the squares that `explore` counts, metres."""
_SHOOT: Mapping[str, Control] = {"turn_left": "turn_left", "turn_right": "turn_right", "use": "attack"}
_WALK: Mapping[str, Control] = {"turn_left": "turn_left", "turn_right": "turn_right", "forward": "forward"}
_STEP: Mapping[str, Control] = {"turn_left": "step_left", "turn_right": "step_right"}
_ALL: Mapping[str, Control] = {**_WALK, "back": "back"}


@dataclass(frozen=True, kw_only=True)
class DoomLevel:
    """One level of ViZDoom's."""

    source: str
    """A scenario's file (`basic.cfg`) or a map of Freedoom's (`freedoom1.wad E2M4`)."""
    controls: Mapping[str, Control]
    """What each action of `ACTIONS` does; an action without an entry makes the agent wait."""
    rule: Literal["goal", "kills", "alive", "squares"]
    """What `is_success` asks: ended with a reward, enough killed, alive so far, enough squares entered."""
    enough: int = 10
    """Monsters killed or squares entered that the rule asks for, where it asks for them."""
    turn_step: float = 22.5
    """Degrees turned by an action; less where the agent has to aim."""
    setting: Setting = "indoor"
    """Whether there is a ceiling or the sky."""
    task: str
    """What is to be done, one word."""
    steps: int = 525
    """Actions until truncation: the scenario's own time limit, where it has one."""
    rewards: tuple[float, float]
    """Lowest and highest reward of one action of `ACTION_REPEAT` tics."""
    description: str
    """Task and rewards, in the words of `LevelInfo.description`."""


_EXPLORE = (
    f"without monsters: +1 for each {SQUARE:g} m square entered for the first time; `use` opens doors; "
    "the start is one place, its heading is drawn."
)
DOOM_LEVELS: Mapping[str, DoomLevel] = {
    "Basic": DoomLevel(
        source="basic.cfg",
        controls={**_STEP, "use": "attack"},
        rule="goal",
        task="shoot",
        steps=72,
        rewards=(-24.0, 106.0),
        description="Step left and right (the turns do) and shoot the one monster: 106, -1 a tic, -5 a shot.",
    ),
    "DeadlyCorridor": DoomLevel(
        source="deadly_corridor.cfg",
        controls={**_ALL, "use": "attack"},
        rule="goal",
        turn_step=7.5,
        task="goal",
        rewards=(-300.0, 1300.0),
        description="Get past six gunmen to the vest: 1000, what is gained towards it in map units, -100 on dying.",
    ),
    "Deathmatch": DoomLevel(
        source="deathmatch.cfg",
        controls={**_ALL, "use": "attack"},
        rule="kills",
        turn_step=7.5,
        task="shoot",
        steps=1050,
        rewards=(0.0, 20.0),
        description="Pick up weapons, which are drawn at once, and shoot what comes: 1 to 4 each.",
    ),
    "DefendCenter": DoomLevel(
        source="defend_the_center.cfg",
        controls=_SHOOT,
        rule="kills",
        turn_step=7.5,
        task="shoot",
        rewards=(-1.0, 5.0),
        description="Shoot what comes from all sides, 26 bullets: 1 each, -1 on dying.",
    ),
    "DefendLine": DoomLevel(
        source="defend_the_line.cfg",
        controls=_SHOOT,
        rule="kills",
        enough=15,
        turn_step=7.5,
        task="shoot",
        rewards=(-1.0, 6.0),
        description="Shoot what comes from the far wall: 1 each, -1 on dying.",
    ),
    "HealthGathering": DoomLevel(
        source="health_gathering.cfg",
        controls=_WALK,
        rule="alive",
        task="survive",
        rewards=(-100.0, 4.0),
        description="Pick up medikits to live on an acid floor: 1 a tic, -100 on dying.",
    ),
    "HealthGatheringSupreme": DoomLevel(
        source="health_gathering_supreme.cfg",
        controls=_WALK,
        rule="alive",
        task="survive",
        rewards=(-100.0, 4.0),
        description="Pick up medikits but no poison in a maze with an acid floor: 1 a tic, -100 on dying.",
    ),
    "MyWayHome": DoomLevel(
        source="my_way_home.cfg",
        controls=_WALK,
        rule="goal",
        task="maze",
        rewards=(-0.001, 1.0),
        description="Find the vest in eight rooms and a corridor: 1, -0.0001 a tic; the start is drawn.",
    ),
    "PredictPosition": DoomLevel(
        source="predict_position.cfg",
        controls=_SHOOT,
        rule="goal",
        turn_step=7.5,
        task="shoot",
        steps=72,
        rewards=(-0.01, 1.0),
        description="Hit a walking monster with the only rocket: 1, -0.001 a tic.",
    ),
    "TakeCover": DoomLevel(
        source="take_cover.cfg",
        controls=_STEP,
        rule="alive",
        task="survive",
        rewards=(0.0, 4.0),
        description="Step left and right (the turns do) out of the way of fireballs: 1 a tic.",
    ),
    "Indoor": DoomLevel(
        source="freedoom1.wad E2M4",
        controls={**_ALL, "use": "use"},
        rule="squares",
        task="explore",
        rewards=(0.0, 1.0),
        description="Freedoom's E2M4, all under ceilings, " + _EXPLORE,
    ),
    "Outdoor": DoomLevel(
        source="freedoom1.wad E3M1",
        controls={**_ALL, "use": "use"},
        rule="squares",
        setting="outdoor",
        task="explore",
        rewards=(0.0, 1.0),
        description="Freedoom's E3M1, rocks under a red sky, " + _EXPLORE,
    ),
}
"""By the name in their id; indoors and outdoors the rules, actions and factors are the same."""

_SUCCESS: Mapping[str, str] = {
    "goal": "ended with a reward.",
    "kills": "{enough} killed.",
    "alive": "alive at the time limit.",
    "squares": "{enough} new squares.",
}
VIZDOOM_LEVELS: tuple[LevelInfo, ...] = tuple(
    LevelInfo(
        id=f"perma/Vizdoom{name}-v0",
        setting=level.setting,
        task=level.task,
        engine="vizdoom",
        max_episode_steps=level.steps,
        reward_range=level.rewards,
        description=f"{level.description} Success: {_SUCCESS[level.rule].format(enough=level.enough)}",
        needs=NEEDS,
        entry_point="perma_agent.envs.vizdoom.level:VizdoomLevel",
        arguments={"name": name},
    )
    for name, level in DOOM_LEVELS.items()
)
"""Ten scenarios and the pair; left out are the two whose point is sound or text, and those for several players."""
