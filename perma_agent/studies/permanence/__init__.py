"""Study `permanence`: what the permanence prior makes of a code, on sprites and on rollouts of 3D levels."""

from perma_agent.studies.permanence.presets import PRESETS
from perma_agent.studies.permanence.study import plan, run, summarise

__all__ = ["PRESETS", "plan", "run", "summarise"]
