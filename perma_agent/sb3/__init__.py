"""Stable-Baselines3: a policy that sees through a VASE, a callback that keeps the VASE learning, and saving."""

from perma_agent.sb3.bundle import BundleContent, load_bundle, read_bundle, save_bundle
from perma_agent.sb3.continual_callback import ContinualConfig, ContinualVASECallback, RoundRecord
from perma_agent.sb3.features_extractor import VASEFeaturesExtractor

__all__ = [
    "BundleContent",
    "ContinualConfig",
    "ContinualVASECallback",
    "RoundRecord",
    "VASEFeaturesExtractor",
    "load_bundle",
    "read_bundle",
    "save_bundle",
]
