"""Stable-Baselines3: a policy that sees through a VASE, a callback that keeps the VASE learning, and saving."""

from perma_agent.sb3.bonus_callback import BonusCallback
from perma_agent.sb3.bundle import BundleContent, load_bundle, read_bundle, restore_normalisers, save_bundle
from perma_agent.sb3.checkpoint import resume_checkpoint, save_checkpoint
from perma_agent.sb3.checkpoints import DamagedCheckpointWarning
from perma_agent.sb3.continual_callback import ContinualVASECallback
from perma_agent.sb3.continual_config import ContinualConfig
from perma_agent.sb3.encoded_observation import EncodedObservation
from perma_agent.sb3.features_extractor import VASEFeaturesExtractor
from perma_agent.sb3.resumable_training import ResumableTraining
from perma_agent.sb3.round_record import RoundRecord

__all__ = [
    "BonusCallback",
    "BundleContent",
    "ContinualConfig",
    "ContinualVASECallback",
    "DamagedCheckpointWarning",
    "EncodedObservation",
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
