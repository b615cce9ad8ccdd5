"""Life-long disentangled representations for reinforcement-learning agents on 3D levels.

The rooms, in the order of the stream: `types` and `data` (what an agent saw), `models` (frames to latents and back),
`objectives` (what a good code is), `continual` (learning on when the world changes), `imagination` (what was not met
yet), `sb3` (policies that see through the code), `evaluation` and `studies` (how well all this works), `cli`.
`envs` and `wrappers` (levels and what stands between them and the agent) are folders beside this one.

The names below are loaded when they are first used, so that `import perma_agent` costs nothing.
"""

from typing import TYPE_CHECKING

from perma_agent.errors import PermaAgentError
from perma_agent.lazy import lazy_names
from perma_agent.version import __version__

if TYPE_CHECKING:
    from perma_agent.continual import Learner, LearnerConfig
    from perma_agent.data import TrajectoryStore
    from perma_agent.models import VASE, VASEConfig
    from perma_agent.objectives import permanence
    from perma_agent.types import FramePairs, Posterior, Provenance, Trajectory

__all__ = [
    "VASE",
    "FramePairs",
    "Learner",
    "LearnerConfig",
    "PermaAgentError",
    "Posterior",
    "Provenance",
    "Trajectory",
    "TrajectoryStore",
    "VASEConfig",
    "__version__",
    "permanence",
]

_ROOMS = {
    "Trajectory": "types",
    "Provenance": "types",
    "TrajectoryStore": "data",
    "FramePairs": "types",
    "VASE": "models",
    "VASEConfig": "models",
    "Posterior": "types",
    "permanence": "objectives",
    "Learner": "continual",
    "LearnerConfig": "continual",
}
"""Public name → the room it is loaded from, in the order of the stream."""

if not TYPE_CHECKING:  # a type checker reads the imports above, and so still sees a mistyped name
    __getattr__, __dir__ = lazy_names(__name__, _ROOMS)
