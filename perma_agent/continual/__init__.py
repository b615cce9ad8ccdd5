"""Life-long learning: what happens when the world changes and nobody says so."""

from perma_agent.continual.dreams import DreamConfig
from perma_agent.continual.environment_inference import EnvironmentInference
from perma_agent.continual.environment_record import EnvironmentRecord, InferenceConfig
from perma_agent.continual.latent_mask import LatentMaskConfig, Marginal, atypicality
from perma_agent.continual.learner import Learner, LearnerConfig
from perma_agent.continual.snapshot import Snapshot
from perma_agent.continual.update import Update

__all__ = [
    "DreamConfig",
    "EnvironmentInference",
    "EnvironmentRecord",
    "InferenceConfig",
    "LatentMaskConfig",
    "Learner",
    "LearnerConfig",
    "Marginal",
    "Snapshot",
    "Update",
    "atypicality",
]
