"""Study `sb3`: how fast and how steady agents are that see through a VASE, and whether they go on where killed."""

from perma_agent.studies.sb3.presets import PRESETS
from perma_agent.studies.sb3.study import plan, run, summarise

__all__ = ["PRESETS", "plan", "run", "summarise"]
