"""The objective's summands: one term, one file, one pure function with its equation."""

from perma_agent.objectives.capacity import (
    CapacityConfig,
    CapacitySchedule,
    capacity,
    information,
    warm_up,
)
from perma_agent.objectives.dreaming import decoder_proximity, encoder_proximity
from perma_agent.objectives.environment import environment_loss
from perma_agent.objectives.permanence import (
    PermanenceConfig,
    change_term,
    change_terms,
    hoyer_square,
    l1_change,
    l2_change,
    laplace_transition,
    normalised_permanence,
    permanence,
    permanence_direction,
    permanence_of_pairs,
)
from perma_agent.objectives.reconstruction import (
    bernoulli_divergence,
    bernoulli_error,
    block_means,
    coarse_error,
    contrast,
    gaussian_error,
    reconstruction_error,
)
from perma_agent.objectives.total import total

__all__ = [
    "CapacityConfig",
    "CapacitySchedule",
    "PermanenceConfig",
    "bernoulli_divergence",
    "bernoulli_error",
    "block_means",
    "capacity",
    "change_term",
    "change_terms",
    "coarse_error",
    "contrast",
    "decoder_proximity",
    "encoder_proximity",
    "environment_loss",
    "gaussian_error",
    "hoyer_square",
    "information",
    "l1_change",
    "l2_change",
    "laplace_transition",
    "normalised_permanence",
    "permanence",
    "permanence_direction",
    "permanence_of_pairs",
    "reconstruction_error",
    "total",
    "warm_up",
]
