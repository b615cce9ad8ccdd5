"""Part `sample-efficiency`: how many level steps a policy needs on a pretrained code, beside NatureCNN from scratch."""

from perma_agent.studies.transfer.sample_efficiency.page import contents_of
from perma_agent.studies.transfer.sample_efficiency.presets import PRESETS
from perma_agent.studies.transfer.sample_efficiency.rows import rows_of
from perma_agent.studies.transfer.sample_efficiency.running import plan, run

__all__ = ["PRESETS", "contents_of", "plan", "rows_of", "run"]
