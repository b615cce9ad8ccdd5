"""Wrappers round levels: what the agent sees, and what is recorded of it."""

if __name__ != "perma_agent.wrappers":
    raise ImportError(
        f"this folder ships as `perma_agent.wrappers` but was imported as `{__name__}`: "
        "run `pip install -e .`, then import `perma_agent.wrappers`"
    )

from typing import TYPE_CHECKING

from perma_agent.lazy import lazy_names
from perma_agent.wrappers.bonus_config import BonusRewardConfig
from perma_agent.wrappers.bonus_reward import BonusReward
from perma_agent.wrappers.frames import ObserveFrames
from perma_agent.wrappers.level_worker import Tolerance, WorkerRestartedWarning
from perma_agent.wrappers.record_trajectories import RecordTrajectories
from perma_agent.wrappers.replayable_level import ReplayableLevel
from perma_agent.wrappers.tolerant_vec_env import TolerantVecEnv

if TYPE_CHECKING:
    from perma_agent.wrappers.imagination_reward import ImaginationReward

__all__ = [
    "BonusReward",
    "BonusRewardConfig",
    "ImaginationReward",
    "ObserveFrames",
    "RecordTrajectories",
    "ReplayableLevel",
    "Tolerance",
    "TolerantVecEnv",
    "WorkerRestartedWarning",
]

if not TYPE_CHECKING:  # a type checker reads the import above, and so still sees a mistyped name
    __getattr__, __dir__ = lazy_names(__name__, {"ImaginationReward": "imagination_reward"})  # it brings torch
