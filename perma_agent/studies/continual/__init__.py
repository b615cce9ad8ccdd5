"""Study `continual`: the VASE paper's own experiments, on its data and at sizes of your choice."""

from perma_agent.studies.continual.presets import PRESETS
from perma_agent.studies.continual.study import plan, run, summarise

__all__ = ["PRESETS", "plan", "run", "summarise"]
