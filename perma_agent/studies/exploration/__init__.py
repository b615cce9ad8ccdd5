"""Study `exploration`: what imagined configurations make of an agent's curiosity, beside what others are paid for."""

from perma_agent.studies.exploration.presets import PRESETS
from perma_agent.studies.exploration.study import plan, run, summarise

__all__ = ["PRESETS", "plan", "run", "summarise"]
