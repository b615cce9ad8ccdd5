"""DMLab-30 by name: what each level is, how long it runs, and which level file a name and a split open."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from perma_agent.envs.catalogue import LevelInfo
from perma_agent.envs.vocabulary import Setting, Split
from perma_agent.errors import LevelError

FOLDER = "contributed/dmlab30/"
"""Where the engine keeps these levels."""
HELD_OUT_SEEDS = 0x600D5EED
"""`mixerSeed` of the test split: with it every seed gives an episode that no training seed gives."""
HOW_TO_GET_IT = "DeepMind Lab, built with Bazel (pip has no package of it; docs/dmlab.md says how)"
"""The engine, as `LevelInfo.needs`."""


@dataclass(frozen=True, kw_only=True)
class DMLabTask:
    """One of DMLab-30's tasks."""

    name: str
    """Without `_train` or `_test`."""
    setting: Setting
    """Outdoor where there is sky: natlab and skymaze."""
    seconds: int
    """Length of an episode at 60 frames a second, unless the level ends it earlier."""
    random: float
    """Mean return of random actions, as published with IMPALA."""
    human: float
    """Mean return of a human, as published with IMPALA."""
    own_test: bool = False
    """Whether the task has a test level file of its own, `_test` beside `_train`."""

    @property
    def success_return(self) -> float:
        """Return from which an episode counts as a success: half way from random to human."""
        return (self.random + self.human) / 2

    def level(self, split: Split) -> str:
        """The engine's name of the level file for a split."""
        return FOLDER + self.name + (f"_{split}" if self.own_test else "")


def _task(name: str, seconds: int, random: float, human: float) -> DMLabTask:
    setting: Setting = "outdoor" if name.startswith(("natlab", "skymaze")) else "indoor"
    own_test = name in ("rooms_collect_good_objects", "rooms_exploit_deferred_effects")
    return DMLabTask(name=name, setting=setting, seconds=seconds, random=random, human=human, own_test=own_test)


DMLAB30: tuple[DMLabTask, ...] = (
    _task("rooms_collect_good_objects", 60, 0.073, 10),
    _task("rooms_exploit_deferred_effects", 60, 8.501, 85.65),
    _task("rooms_select_nonmatching_object", 12, 0.312, 65.9),
    _task("rooms_watermaze", 120, 4.065, 54),
    _task("rooms_keys_doors_puzzle", 60, 4.135, 53.8),
    _task("language_select_described_object", 60, -0.07, 389.5),
    _task("language_select_located_object", 120, 1.929, 280.7),
    _task("language_execute_random_task", 120, -5.913, 254.05),
    _task("language_answer_quantitative_question", 60, -0.33, 184.5),
    _task("lasertag_one_opponent_small", 240, -0.224, 12.65),
    _task("lasertag_three_opponents_small", 240, -0.214, 18.55),
    _task("lasertag_one_opponent_large", 240, -0.083, 18.6),
    _task("lasertag_three_opponents_large", 240, -0.102, 31.5),
    _task("natlab_fixed_large_map", 120, 2.173, 36.9),
    _task("natlab_varying_map_regrowth", 120, 2.989, 24.45),
    _task("natlab_varying_map_randomized", 120, 7.346, 42.35),
    _task("skymaze_irreversible_path_hard", 60, 0.1, 100),
    _task("skymaze_irreversible_path_varied", 60, 14.4, 100),
    _task("psychlab_arbitrary_visuomotor_mapping", 300, 0.163, 58.75),
    _task("psychlab_continuous_recognition", 300, 0.224, 58.3),
    _task("psychlab_sequential_comparison", 300, 0.129, 39.5),
    _task("psychlab_visual_search", 150, 0.085, 78.5),
    _task("explore_object_locations_small", 90, 3.575, 74.45),
    _task("explore_object_locations_large", 120, 4.673, 65.65),
    _task("explore_obstructed_goals_small", 90, 6.76, 206),
    _task("explore_obstructed_goals_large", 120, 2.61, 119.5),
    _task("explore_goal_locations_small", 90, 7.66, 267.5),
    _task("explore_goal_locations_large", 120, 3.14, 194.5),
    _task("explore_object_rewards_few", 90, 2.073, 77.7),
    _task("explore_object_rewards_many", 120, 2.438, 106.7),
)
"""All 30, in the order of DMLab-30's own list."""

_TASK_OF = {task.name: task for task in DMLAB30} | {
    task.name + suffix: task for task in DMLAB30 if task.own_test for suffix in ("_train", "_test")
}


def dmlab_task(level: str, *, split: Split) -> DMLabTask:
    """The task that a name means.

    Args:
        level: a DMLab-30 name, bare or as `contributed/dmlab30/NAME`; of the two tasks with a test level of their own,
            with `_train`, `_test` or neither. The split decides which of their levels opens.
        split: what it is made for; a `_test` name wants `test`, so that nobody trains there by mistake.

    Raises:
        LevelError: for an unknown name, and for a `_test` name in the train split.
    """
    name = level.removeprefix(FOLDER)
    if name not in _TASK_OF:
        raise LevelError(f"expected level to be a DMLab-30 name, got {level!r}; valid are {', '.join(_TASK_OF)}")
    if name.endswith("_test") and split != "test":
        raise LevelError(f"expected split 'test' for the held-out level {level!r}, got {split!r}; pass split='test'")
    return _TASK_OF[name]


def dmlab_alias(level: str) -> LevelInfo | None:
    """The entry that one of DMLab-30's own names means, or None where it is none."""
    name = level.removeprefix(FOLDER)
    if name not in _TASK_OF:
        return None
    return dataclasses.replace(_info(_TASK_OF[name]), arguments={"level": name})


def _info(task: DMLabTask) -> LevelInfo:
    return LevelInfo(
        id=f"DMLab-{task.name}-v0",
        setting=task.setting,
        task=task.name.split("_")[0],
        engine="dmlab",
        max_episode_steps=task.seconds * 60,
        reward_range=(-10.0, 100.0),
        description=f"DMLab-30's task of this name; the engine ends it after {task.seconds} s "
        f"({task.seconds * 15} steps of 4 frames). Success: a return of {task.success_return:.4g} or more, "
        "half way from random to human.",
        needs=HOW_TO_GET_IT,
        entry_point="perma_agent.envs.dmlab.level:DMLabLevel",
        arguments={"level": task.name},
    )


DMLAB_LEVELS: tuple[LevelInfo, ...] = tuple(_info(task) for task in DMLAB30)
"""All 30. `max_episode_steps` counts single frames, so that it never cuts an episode before the engine does."""
