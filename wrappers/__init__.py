"""Wrappers round levels: what the agent sees, and what is recorded of it."""

if __name__ != "perma_agent.wrappers":
    raise ImportError(
        f"this folder ships as `perma_agent.wrappers` but was imported as `{__name__}`: "
        "run `pip install -e .`, then import `perma_agent.wrappers`"
    )

from perma_agent.wrappers.frames import ObserveFrames
from perma_agent.wrappers.level_worker import Tolerance, WorkerRestartedWarning
from perma_agent.wrappers.record_trajectories import RecordTrajectories
from perma_agent.wrappers.replayable_level import ReplayableLevel
from perma_agent.wrappers.tolerant_vec_env import TolerantVecEnv

__all__ = [
    "ObserveFrames",
    "RecordTrajectories",
    "ReplayableLevel",
    "Tolerance",
    "TolerantVecEnv",
    "WorkerRestartedWarning",
]
