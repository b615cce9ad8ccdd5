"""Networks: parameters and forward passes, no loss, no optimiser, no file access."""

from perma_agent.models.encoder import Encoding
from perma_agent.models.precision import bfloat16_pays
from perma_agent.models.vase import VASE, Likelihood, VASEConfig

__all__ = ["VASE", "Encoding", "Likelihood", "VASEConfig", "bfloat16_pays"]
