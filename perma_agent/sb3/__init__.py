"""Stable-Baselines3: a policy that sees through a VASE, and a callback that keeps the VASE learning."""

from perma_agent.sb3.continual_callback import ContinualConfig, ContinualVASECallback, RoundRecord
from perma_agent.sb3.features_extractor import VASEFeaturesExtractor

__all__ = ["ContinualConfig", "ContinualVASECallback", "RoundRecord", "VASEFeaturesExtractor"]
