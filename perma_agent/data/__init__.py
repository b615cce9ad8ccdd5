"""The data room: trajectories on disk, and pairs of frames drawn from them."""

from perma_agent.data.pairs import PairSampler, PairSource, RolloutFrames
from perma_agent.data.store import TrajectoryStore
from perma_agent.data.summary import LevelSummary, StoreSummary

__all__ = ["LevelSummary", "PairSampler", "PairSource", "RolloutFrames", "StoreSummary", "TrajectoryStore"]
