"""The data room: trajectories on disk, pairs of frames drawn from them, and image worlds whose truth is known."""

from perma_agent.data.image_folder import ImageFolder
from perma_agent.data.image_sequences import ImageBatch, ImageWorld, blend, image_world
from perma_agent.data.image_sets import ImageSet, load_image_folder, load_image_set
from perma_agent.data.pairs import PairSampler, PairSource, RolloutFrames
from perma_agent.data.sprites import SpriteBatch, SpritePairs, SpriteWorld
from perma_agent.data.store import TrajectoryStore
from perma_agent.data.summary import LevelSummary, StoreSummary

__all__ = [
    "ImageBatch",
    "ImageFolder",
    "ImageSet",
    "ImageWorld",
    "LevelSummary",
    "PairSampler",
    "PairSource",
    "RolloutFrames",
    "SpriteBatch",
    "SpritePairs",
    "SpriteWorld",
    "StoreSummary",
    "TrajectoryStore",
    "blend",
    "image_world",
    "load_image_folder",
    "load_image_set",
]
