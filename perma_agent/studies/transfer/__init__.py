"""Study `transfer`: what a pretrained code is worth to a policy, here and on levels it has not seen."""

from perma_agent.studies.transfer.study import PARTS, PRESETS, plan, run, summarise

__all__ = ["PARTS", "PRESETS", "plan", "run", "summarise"]
