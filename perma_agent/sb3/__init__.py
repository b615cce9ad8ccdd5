"""Stable-Baselines3: a policy that sees through a VASE, a callback that keeps the VASE learning, and saving."""

from perma_agent.sb3.learning.bonus_callback import BonusCallback
from perma_agent.sb3.learning.continual_callback import ContinualVASECallback
from perma_agent.sb3.learning.continual_config import ContinualConfig
from perma_agent.sb3.learning.round_record import RoundRecord
from perma_agent.sb3.resuming.checkpoint import resume_checkpoint, save_checkpoint
from perma_agent.sb3.resuming.checkpoints import DamagedCheckpointWarning
from perma_agent.sb3.resuming.resumable_training import ResumableTraining
from perma_agent.sb3.saving.bundle import BundleContent, load_bundle, read_bundle, restore_normalisers, save_bundle
from perma_agent.sb3.seeing.encoded_observation import EncodedObservation
from perma_agent.sb3.seeing.features_extractor import VASEFeaturesExtractor
from perma_agent.sb3.seeing.latent_trace import LatentTrace

__all__ = [
    "BonusCallback",
    "BundleContent",
    "ContinualConfig",
    "ContinualVASECallback",
    "DamagedCheckpointWarning",
    "EncodedObservation",
    "LatentTrace",
    "ResumableTraining",
    "RoundRecord",
    "VASEFeaturesExtractor",
    "load_bundle",
    "read_bundle",
    "restore_normalisers",
    "resume_checkpoint",
    "save_bundle",
    "save_checkpoint",
]
