"""Study `continual`: the VASE paper's own experiments, on its data and at sizes of your choice."""

from perma_agent.studies.continual.presets import PRESETS
from perma_agent.studies.continual.study import run, summarise

__all__ = ["PRESETS", "run", "summarise"]
